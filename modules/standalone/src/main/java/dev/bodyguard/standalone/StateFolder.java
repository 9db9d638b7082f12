package dev.bodyguard.standalone;

import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.machine.PortOwner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// The folder that this control plane alone works in, for as long as it is open. The kernel gives it back however the
/// process ends.
final class StateFolder implements AutoCloseable {
    private final Path folder;
    private final FileChannel lock;

    private StateFolder(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /// Makes the folder where there is none (0700), and claims it.
    ///
    /// @throws IOException if another process works in it, which the message names, or it cannot be made
    static StateFolder claim(Path folder) throws IOException {
        var lock = lock(folder);
        try {
            if (lock.tryLock() == null) {
                throw inUse(folder, lock);
            }
            lock.truncate(0);
            lock.write(
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
            return new StateFolder(folder, lock);
        } catch (OverlappingFileLockException e) {
            var inUse = inUse(folder, lock);
            lock.close();
            inUse.initCause(e);
            throw inUse;
        } catch (IOException e) {
            lock.close();
            throw e;
        }
    }

    private static FileChannel lock(Path folder) throws IOException {
        try {
            PrivateFiles.folder(folder);
            return FileChannel.open(
                    folder.resolve("run.lock"),
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (IOException impossible) {
            throw new IOException(
                    "state folder " + folder + " cannot be made or written to (" + impossible
                            + "); name another folder with --state",
                    impossible);
        }
    }

    private static IOException inUse(Path folder, FileChannel lock) throws IOException {
        var text = ByteBuffer.allocate(20);
        lock.read(text, 0);
        String pid = new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).strip();
        return new IOException("state folder " + folder + " is in use by "
                + (pid.matches("[0-9]{1,18}") ? PortOwner.process(Long.parseLong(pid)) : "another process")
                + "; stop that one, or name another folder with --state");
    }

    Path path() {
        return folder;
    }

    /// Tells sidecars where everything is.
    void announce(Map<String, String> addresses) throws IOException {
        String json = addresses.entrySet().stream()
                .map(entry -> "\"" + entry.getKey() + "\":\"" + entry.getValue() + "\"")
                .collect(Collectors.joining(
                        ",", "{\"pid\":" + ProcessHandle.current().pid() + ",", "}\n"));
        PrivateFiles.write(folder.resolve("control-plane.json"), json.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(folder.resolve("control-plane.json"));
        lock.close();
    }
}
