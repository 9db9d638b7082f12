package dev.bodyguard.config;

import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.model.Document;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Last good versions in a file, for a restart, and for mistakes that are made while no config runs. The file is
/// discovery's messages, one after the other, 0600; where there is nothing to remember there is none. One thread calls
/// this, another writes.
final class LastGood implements AutoCloseable {
    /// A quarter of the volume that a pod of ours has. What does not fit is not remembered.
    private static final int MOST_BYTES = 16 << 20;
    /// A disk that stands still must not keep the process from ending.
    private static final Duration LONGEST_END = Duration.ofSeconds(2);

    private final Path file;
    private final int mostBytes;
    private final Events events;
    private final ExecutorService writer = Executors.newSingleThreadExecutor(
            Thread.ofVirtual().name("config-last-good").factory());
    /// What is to be written; a newer one replaces it.
    private final AtomicReference<@Nullable List<Document>> next = new AtomicReference<>();
    /// What was remembered last; null where nobody knows what the file says.
    private @Nullable List<Document> last;
    /// Whether that could not be written, so that it is tried again.
    private volatile boolean unwritten;
    /// Why it was not, or not all of it; one reason is told once. Owned by the writer.
    private String why = "";

    LastGood(Path file, Events events) {
        this(file, MOST_BYTES, events);
    }

    LastGood(Path file, int mostBytes, Events events) {
        this.file = file;
        this.mostBytes = mostBytes;
        this.events = events;
    }

    /// What was remembered before a restart; nothing where the file cannot be read, which is told.
    List<Document> read() {
        try {
            last = decoded(content());
            return last;
        } catch (IOException | RuntimeException broken) {
            events.notRecalled(file, sentence(broken));
            return List.of();
        }
    }

    /// Remembers these and no others, the first of them where there are too many. Returns at once. What cannot be
    /// written is told, and is then not remembered at all: an older version might come into force again.
    void keep(List<Document> documents) {
        if (!unwritten && documents.equals(last)) {
            return;
        }
        last = documents;
        unwritten = false;
        if (next.getAndSet(documents) == null) {
            writer.execute(this::write);
        }
    }

    /// Ends when all is written, or it takes too long.
    @Override
    public void close() {
        writer.shutdown();
        try {
            var _ = writer.awaitTermination(LONGEST_END.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private void write() {
        var documents = next.getAndSet(null);
        if (documents == null) {
            return;
        }
        try {
            int most = documents.size();
            if (documents.isEmpty()) {
                Files.deleteIfExists(file);
            } else {
                var bytes = new ByteArrayOutputStream();
                most = encode(documents, bytes);
                PrivateFiles.write(file, bytes.toByteArray());
            }
            tell(
                    most == documents.size()
                            ? ""
                            : "must be " + mostBytes + " bytes at most, which " + most + " of " + documents.size()
                                    + " documents fill");
        } catch (IOException | RuntimeException failed) {
            unwritten = true;
            tell(sentence(failed) + forget());
        }
    }

    private void tell(String sentence) {
        if (!sentence.isEmpty() && !sentence.equals(why)) {
            events.notRemembered(file, sentence);
        }
        why = sentence;
    }

    /// What is to be said where that fails too.
    private String forget() {
        try {
            Files.deleteIfExists(file);
            return "";
        } catch (IOException stays) {
            return "; what it says is out of date, remove it";
        }
    }

    /// A file system's exceptions say by their name what, and in their message where, which may be another unfinished
    /// file each time.
    private static String sentence(Exception failed) {
        if (failed instanceof FileSystemException ofFiles) {
            var reason = ofFiles.getReason();
            return failed.getClass().getName() + (reason == null ? "" : ": " + reason);
        }
        var message = failed.getMessage();
        return message == null ? failed.toString() : message;
    }

    /// @return how many fit
    private int encode(List<Document> documents, ByteArrayOutputStream into) throws IOException {
        int fit = 0;
        for (var document : documents) {
            var one = new ByteArrayOutputStream();
            Wire.write(document, one);
            if (into.size() + one.size() > mostBytes) {
                return fit;
            }
            one.writeTo(into);
            fit++;
        }
        return fit;
    }

    private byte[] content() throws IOException {
        try {
            long size = Files.size(file);
            if (size > mostBytes) {
                throw new IOException("must be " + mostBytes + " bytes at most, was " + size);
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException _) {
            return new byte[0];
        }
    }

    private static List<Document> decoded(byte[] content) throws IOException {
        var in = new ByteArrayInputStream(content);
        var documents = new ArrayList<Document>();
        for (var next = Wire.read(in); next != null; next = Wire.read(in)) {
            documents.add(next);
        }
        return List.copyOf(documents);
    }
}
