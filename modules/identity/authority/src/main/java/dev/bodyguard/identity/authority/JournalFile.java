package dev.bodyguard.identity.authority;

import dev.bodyguard.identity.spiffe.PrivateFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// A text file that only grows, a line for each certificate.
public final class JournalFile implements Journal, AutoCloseable {
    private final FileChannel file;

    private JournalFile(FileChannel file) {
        this.file = file;
    }

    /// Opens the file, or makes it (0600), to write behind what is there.
    public static JournalFile open(Path path) throws IOException {
        var folder = path.toAbsolutePath().getParent();
        if (folder != null) {
            PrivateFiles.folder(folder);
        }
        return new JournalFile(FileChannel.open(
                path,
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))));
    }

    @Override
    public synchronized void issued(Entry entry) throws IOException {
        var line = ByteBuffer.wrap((entry + "\n").getBytes(StandardCharsets.US_ASCII));
        while (line.hasRemaining()) {
            file.write(line);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
