package dev.bodyguard.model;

/// A place in an authored file. Lines and columns count from 1.
///
/// @param file the file, relative to the source it was read from
public record Location(String file, int line, int column) {
    public Location {
        if (line < 1 || column < 1) {
            throw new IllegalArgumentException("line and column count from 1, were " + line + ":" + column);
        }
    }

    @Override
    public String toString() {
        return file + ":" + line + ":" + column;
    }
}
