package dev.bodyguard.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/// The state folder of a demo: `mesh/` (the live YAML), `logs/`, `mesh.json`, and whatever the control plane keeps.
record Folders(Path state, boolean temporary) implements AutoCloseable {
    /// The folder asked for, or one that is gone when the demo is.
    static Folders open(@Nullable Path asked, Path sampleMesh) {
        try {
            var state = asked == null
                    ? Files.createTempDirectory("bodyguard-demo")
                    : Files.createDirectories(asked).toRealPath();
            Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwx------"));
            var folders = new Folders(state, asked == null);
            requireNobody(state);
            // Of an earlier run: nobody should take it for this one's.
            Files.deleteIfExists(folders.meshFile());
            Files.deleteIfExists(folders.controlPlaneFile());
            Files.createDirectories(folders.logs());
            if (!Files.exists(folders.mesh())) {
                Files.createDirectories(folders.mesh());
                try (var files = Files.list(sampleMesh)) {
                    for (var file : files.toList()) {
                        Files.copy(file, folders.mesh().resolve(file.getFileName()));
                    }
                }
            }
            return folders;
        } catch (IOException unusable) {
            throw new Failure("the state folder cannot be used: " + unusable);
        }
    }

    /// A control plane that works in the folder holds this lock, and what stands there is its.
    private static void requireNobody(Path state) throws IOException {
        var lock = state.resolve("run.lock");
        if (!Files.exists(lock)) {
            return;
        }
        try (var file = FileChannel.open(lock, StandardOpenOption.WRITE);
                var ours = file.tryLock()) {
            if (ours == null) {
                throw new Failure("state folder " + state + " is in use by pid "
                        + Files.readString(lock).strip() + "; stop that one, or name another folder with --state");
            }
        }
    }

    Path mesh() {
        return state.resolve("mesh");
    }

    Path logs() {
        return state.resolve("logs");
    }

    Path log(String name) {
        return logs().resolve(name + ".log");
    }

    Path meshFile() {
        return state.resolve("mesh.json");
    }

    Path controlPlaneFile() {
        return state.resolve("control-plane.json");
    }

    /// Readers see the old content or the new, never half of it.
    void replace(Path file, String content) {
        var next = file.resolveSibling(file.getFileName() + ".next");
        try {
            Files.writeString(next, content);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Override
    public void close() {
        if (!temporary) {
            return;
        }
        try {
            Files.walkFileTree(state, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.delete(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
                        throws IOException {
                    Files.delete(folder);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException _) {
            // Left behind in the temporary folder, as a crash would leave it.
        }
    }
}
