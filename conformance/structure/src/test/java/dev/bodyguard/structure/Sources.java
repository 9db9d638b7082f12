package dev.bodyguard.structure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The repository's own files, as these tests see them.
final class Sources {
    /// The repository's root: this module is two folders below it.
    static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();

    private Sources() {}

    /// Handwritten Java files of every module, sorted.
    static List<Path> java() {
        return files(".java");
    }

    /// The descriptors of every module, sorted.
    static List<Path> moduleDescriptors() {
        return files("module-info.java").stream()
                .filter(file -> file.getParent().endsWith(Path.of("src/main/java")))
                .toList();
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> files(String suffix) {
        try (var tree = Files.walk(ROOT)) {
            return tree.filter(file -> file.toString().endsWith(suffix))
                    .filter(file -> !ROOT.relativize(file).toString().matches("(.*/)?(target|\\.git|\\.cache)/.*"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
