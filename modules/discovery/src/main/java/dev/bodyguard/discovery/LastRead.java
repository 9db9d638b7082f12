package dev.bodyguard.discovery;

import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.source.files.Recollection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What files said when they were last right, in a folder of the state folder (0600): a restart finds there what
/// stays in force of a file that cannot be read, be it that it was broken meanwhile. One text a file, after a line with
/// its name, and named by the SHA-256 of where it is, so that another directory has none of it.
final class LastRead implements Recollection {
    /// Beyond it the largest are not remembered.
    private static final long MOST_BYTES = 64 << 20;

    private final Path folder;
    private final Path directory;
    private final Events events;
    /// What the folder holds; null where nobody knows.
    private @Nullable Map<String, byte[]> kept;
    /// Why it cannot be kept; one reason is told once.
    private String why = "";

    /// @param directory that the files are in
    LastRead(Path folder, Path directory, Events events) {
        this.folder = folder;
        this.directory = directory.toAbsolutePath().normalize();
        this.events = events;
    }

    @Override
    public Map<String, byte[]> texts() {
        var texts = new TreeMap<String, byte[]>();
        if (!Files.isDirectory(folder)) {
            return texts;
        }
        try (var files = Files.newDirectoryStream(folder, "[0-9a-f]*")) {
            for (var file : files) {
                read(file, texts);
            }
        } catch (IOException | DirectoryIteratorException broken) {
            events.lastReadFailed(broken);
        }
        return texts;
    }

    /// Leaves out what is of another directory.
    private void read(Path file, Map<String, byte[]> texts) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException(file + " must be " + MOST_BYTES + " bytes at most");
        }
        var content = Files.readAllBytes(file);
        int end = 0;
        while (end < content.length && content[end] != '\n') {
            end++;
        }
        var name = new String(content, 0, end, StandardCharsets.UTF_8);
        if (end < content.length && String.valueOf(file.getFileName()).equals(hash(name))) {
            texts.put(name, Arrays.copyOfRange(content, end + 1, content.length));
        }
    }

    @Override
    public void keep(Map<String, byte[]> texts) {
        var wanted = bounded(texts);
        if (same(wanted, kept)) {
            return;
        }
        var before = kept == null ? texts() : kept;
        kept = null;
        try {
            for (var text : wanted.entrySet()) {
                var name = text.getKey();
                if (!Arrays.equals(text.getValue(), before.get(name))) {
                    PrivateFiles.write(folder.resolve(hash(name)), content(name, text.getValue()));
                }
            }
            removeOthers(wanted);
            kept = wanted;
            why = "";
        } catch (IOException | UncheckedIOException failed) {
            // Its message may name another unfinished file each time.
            var kind = failed.getClass().getName();
            if (!kind.equals(why)) {
                events.lastReadFailed(failed);
            }
            why = kind;
        }
    }

    private static byte[] content(String name, byte[] text) {
        var head = (name + "\n").getBytes(StandardCharsets.UTF_8);
        var content = Arrays.copyOf(head, head.length + text.length);
        System.arraycopy(text, 0, content, head.length, text.length);
        return content;
    }

    private void removeOthers(Map<String, byte[]> wanted) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        var stay = wanted.keySet().stream().map(this::hash).collect(Collectors.toSet());
        try (var files = Files.newDirectoryStream(folder)) {
            for (var file : files) {
                if (!stay.contains(String.valueOf(file.getFileName()))) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private Map<String, byte[]> bounded(Map<String, byte[]> texts) {
        long size = texts.values().stream().mapToLong(text -> text.length).sum();
        if (size <= MOST_BYTES) {
            return texts;
        }
        var some = new TreeMap<String, byte[]>();
        long[] left = {MOST_BYTES};
        texts.entrySet().stream()
                .sorted(Map.Entry.comparingByValue((one, other) -> Integer.compare(one.length, other.length)))
                .takeWhile(text -> (left[0] -= text.getValue().length) >= 0)
                .forEach(text -> some.put(text.getKey(), text.getValue()));
        return some;
    }

    private static boolean same(Map<String, byte[]> one, @Nullable Map<String, byte[]> other) {
        return other != null
                && one.keySet().equals(other.keySet())
                && one.entrySet().stream().allMatch(text -> Arrays.equals(other.get(text.getKey()), text.getValue()));
    }

    private String hash(String name) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(directory.resolve(name).toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }
}
