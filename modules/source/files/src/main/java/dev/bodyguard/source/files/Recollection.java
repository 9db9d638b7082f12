package dev.bodyguard.source.files;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Keeps the last good texts of files over a restart. Called by the thread that owns the directory.
public interface Recollection {
    /// None: after a restart a file that cannot be read has nothing in force.
    Recollection NONE = new Recollection() {
        @Override
        public byte @Nullable [] text(String name) {
            return null;
        }

        @Override
        public void keep(Map<String, byte[]> texts) {}
    };

    /// What a file said when it was last read without a problem.
    ///
    /// @param name relative to the directory
    /// @return null where nothing was kept
    byte @Nullable [] text(String name);

    /// Keeps these and no others; the same as before costs little.
    ///
    /// @param texts without a problem, by name
    void keep(Map<String, byte[]> texts);
}
