package dev.bodyguard.source.files;

import java.util.Map;

/// Keeps the last good texts of files over a restart. Called by the thread that owns the directory.
public interface Recollection {
    /// None: after a restart a file that cannot be read has nothing in force.
    Recollection NONE = new Recollection() {
        @Override
        public Map<String, byte[]> texts() {
            return Map.of();
        }

        @Override
        public void keep(Map<String, byte[]> texts) {}
    };

    /// What files said when they were last read without a problem, by their names relative to the directory.
    Map<String, byte[]> texts();

    /// Keeps these and no others; the same as before costs little.
    ///
    /// @param texts without a problem, by name
    void keep(Map<String, byte[]> texts);
}
