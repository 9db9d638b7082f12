package dev.bodyguard.source.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.model.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class DirectoryTest {
    @TempDir
    Path folder;

    private Directory directory;

    @BeforeEach
    void open() throws IOException {
        directory = Directory.open(folder);
    }

    @AfterEach
    void close() throws IOException {
        directory.close();
    }

    @Test
    void beginsWithWhatIsThere() throws Exception {
        write("a.yaml", document("a", 1));
        Files.createDirectories(folder.resolve("deep/down"));
        write("deep/down/b.json", "{\"apiVersion\": \"v1\", \"kind\": \"A\", \"metadata\": {\"name\": \"b\"}}");
        write(".a.yaml.swp", "no: [document");
        write("notes.txt", "no document");

        var changes = directory.next();

        assertThat(changes.put()).extracting(Document::name).containsExactly("a", "b");
        assertThat(changes.put().getLast().root().at()).hasToString("deep/down/b.json:1:1");
        assertThat(changes.problems()).isEmpty();
    }

    @Test
    void tellsAnEmptyDirectoryAtOnce() throws Exception {
        assertThat(directory.next().put()).isEmpty();
    }

    @Test
    void saysThatTheDirectoryIsMissing() {
        assertThatThrownBy(() -> Directory.open(folder.resolve("none")))
                .hasMessageEndingWith("none does not exist; create it, or name the folder that holds the YAML");
    }

    @Test
    void tellsAnEditWithinASecond() throws Exception {
        write("a.yaml", document("a", 1));
        directory.next();

        long began = System.nanoTime();
        write("a.yaml", document("a", 2));
        var changes = directory.next();

        assertThat(changes.put()).extracting(Document::name).containsExactly("a");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void seesAFileRenamedIntoPlace() throws Exception {
        write("a.yaml", document("a", 1));
        directory.next();

        write("a.yaml.tmp", document("b", 1));
        Files.move(folder.resolve("a.yaml.tmp"), folder.resolve("a.yaml"), StandardCopyOption.ATOMIC_MOVE);
        var changes = directory.next();

        assertThat(changes.put()).extracting(Document::name).containsExactly("b");
        assertThat(changes.removed()).containsExactly("/A/default/a");
    }

    @Test
    void seesAFolderThatAppearsWithItsFiles() throws Exception {
        directory.next();

        Files.createDirectories(folder.resolve("new/er"));
        write("new/er/a.yaml", document("a", 1));
        var changes = directory.next();

        assertThat(changes.put()).extracting(Document::name).containsExactly("a");
    }

    @Test
    void forgetsTheDocumentsOfADeletedFile() throws Exception {
        write("a.yaml", document("a", 1));
        directory.next();

        Files.delete(folder.resolve("a.yaml"));
        var changes = directory.next();

        assertThat(changes.removed()).containsExactly("/A/default/a");
    }

    @Test
    void keepsTheLastGoodFormOfABrokenFileUntilItIsMended() throws Exception {
        write("a.yaml", document("a", 1) + "---\n" + document("b", 1));
        directory.next();

        write("a.yaml", document("a", 2) + "---\napiVersion: v1\nkind: A\nmetadata: {name: b\nvalue: 2\n");
        var broken = directory.next();
        write("a.yaml", document("a", 2) + "---\n" + document("b", 2));
        var mended = directory.next();

        assertThat(broken.put()).extracting(Document::name).containsExactly("a");
        assertThat(broken.removed()).isEmpty();
        assertThat(broken.problems())
                .extracting(FileProblem::toString)
                .containsExactly("a.yaml:10:6: expected ',' or '}', but got :; close the bracket or add a comma;"
                        + " what was last read from here stays in force");
        assertThat(mended.put()).extracting(Document::name).containsExactly("b");
        assertThat(mended.problems()).isEmpty();
    }

    @Test
    void letsTheFirstOfTwoWinAndNamesBothPlaces() throws Exception {
        write("b.yaml", document("a", 2));
        write("a.yaml", "\n" + document("a", 1));

        var both = directory.next();
        Files.delete(folder.resolve("a.yaml"));
        var one = directory.next();

        assertThat(both.put())
                .singleElement()
                .satisfies(a -> assertThat(a.root().at()).hasToString("a.yaml:2:1"));
        assertThat(both.problems())
                .extracting(FileProblem::toString)
                .containsExactly("b.yaml:1:1: A default/a stands a second time here and is left out, the one at"
                        + " a.yaml:2:1 is in force; remove or rename one of the two");
        assertThat(one.put())
                .singleElement()
                .satisfies(a -> assertThat(a.root().at()).hasToString("b.yaml:1:1"));
        assertThat(one.problems()).isEmpty();
    }

    @Test
    void doesNotTakeAHalfWrittenFileForAnEmptyOne() throws Exception {
        var asked = new Semaphore(0);
        try (var patient = Directory.open(folder, () -> {
            asked.release();
            return 0; // no time passes
        })) {
            write("a.yaml", document("a", 1));
            patient.next();
            asked.drainPermits();

            write("a.yaml", "");
            var next = CompletableFuture.supplyAsync(() -> next(patient));
            asked.acquire(2); // it has looked at the empty file, and begun to wait
            write("a.yaml", document("a", 2));
            var changes = next.get();

            assertThat(changes.removed()).isEmpty();
            assertThat(changes.put()).hasSize(1);
        }
    }

    private static Changes next(Directory directory) {
        try {
            return directory.next();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void believesAFileThatStaysEmpty() throws Exception {
        write("a.yaml", document("a", 1));
        directory.next();

        write("a.yaml", "");

        assertThat(directory.next().removed()).containsExactly("/A/default/a");
    }

    @Test
    void keepsWhatIsInForceWhileTheDirectoryIsGone() throws Exception {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        try (var gone = Directory.open(inner)) {
            write("inner/a.yaml", document("a", 1));
            gone.next();

            Files.move(inner, folder.resolve("aside"));
            var away = gone.next();
            Files.move(folder.resolve("aside"), inner);
            var back = gone.next();
            write("inner/a.yaml", document("a", 2));
            var edited = gone.next();

            assertThat(away.removed()).isEmpty();
            assertThat(away.problems())
                    .singleElement()
                    .satisfies(problem -> assertThat(problem.message()).contains("cannot be read"));
            assertThat(back.problems()).isEmpty();
            assertThat(edited.put()).hasSize(1);
        }
    }

    @Test
    void endsWhenClosed() throws Exception {
        directory.next();
        Thread.startVirtualThread(() -> {
            try {
                directory.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });

        assertThatThrownBy(directory::next).isInstanceOf(IOException.class);
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }

    private static String document(String name, int value) {
        return "apiVersion: v1\nkind: A\nmetadata: {name: %s}\nspec:\n  value: %d\n".formatted(name, value);
    }
}
