package dev.bodyguard.identity.spiffe;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Files that only their owner may read, written whole or not at all.
public final class PrivateFiles {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final FileAttribute<Set<PosixFilePermission>> FILE =
            PosixFilePermissions.asFileAttribute(OWNER_ONLY);
    private static final FileAttribute<Set<PosixFilePermission>> FOLDER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private PrivateFiles() {}

    /// Makes the folder and its missing parents, readable by their owner only (0700).
    public static Path folder(Path folder) throws IOException {
        return Files.createDirectories(folder, FOLDER);
    }

    /// Replaces the file with `content` in one step, readable by its owner only (0600) from the first byte on.
    public static void write(Path file, byte[] content) throws IOException {
        var unfinished = unfinished(file, content);
        try {
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /// Writes the file unless there is one already; says whether it did. Of several writers one wins, and a reader
    /// never sees half a file.
    public static boolean writeNew(Path file, byte[] content) throws IOException {
        var unfinished = unfinished(file, content);
        try {
            Files.createLink(file, unfinished);
            return true;
        } catch (FileAlreadyExistsException _) {
            return false;
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static Path unfinished(Path file, byte[] content) throws IOException {
        var folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IOException(file + " is not a file in a folder");
        }
        folder(folder);
        var unfinished = Files.createTempFile(folder, "." + file.getFileName(), ".new", FILE);
        try (var channel = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
            var rest = ByteBuffer.wrap(content);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
            return unfinished;
        } catch (IOException failed) {
            Files.deleteIfExists(unfinished);
            throw failed;
        }
    }
}
