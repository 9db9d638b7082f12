package dev.bodyguard.source.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.model.Document;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
@Execution(ExecutionMode.CONCURRENT)
class DirectoryTest {
    @TempDir
    Path folder;

    private Directory directory;

    @BeforeEach
    void open() throws IOException {
        directory = Directory.open(folder, Recollection.NONE);
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
        write("C.YML", document("c", 1));
        write(".a.yaml.swp", "no: [document");
        write("notes.txt", "no document");

        var changes = directory.next();

        assertThat(changes.put()).extracting(Document::name).containsExactly("c", "a", "b");
        assertThat(changes.put().getLast().root().at()).hasToString("deep/down/b.json:1:1");
        assertThat(changes.problems()).isEmpty();
    }

    @Test
    void tellsAnEmptyDirectoryAtOnce() throws Exception {
        assertThat(directory.next().put()).isEmpty();
    }

    @Test
    void saysThatTheDirectoryIsMissing() {
        assertThatThrownBy(() -> Directory.open(folder.resolve("none"), Recollection.NONE))
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
    void aFolderThatIsRenamedTakesNothingAway() throws Exception {
        Files.createDirectories(folder.resolve("old"));
        write("old/a.yaml", document("a", 1));
        directory.next();

        Files.move(folder.resolve("old"), folder.resolve("new"));
        var changes = directory.next();

        assertThat(changes.removed()).isEmpty();
        assertThat(changes.put())
                .singleElement()
                .satisfies(a -> assertThat(a.root().at()).hasToString("new/a.yaml:1:1"));
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
    void aCopyDoesNotDisplaceWhatIsInForce() throws Exception {
        write("b.yaml", document("a", 1));
        directory.next();

        write("a.yaml", document("a", 2));
        var copied = directory.next();
        write("b.yaml", document("a", 3));
        var edited = directory.next();
        write("b.yaml", document("b", 1));
        var dropped = directory.next();

        assertThat(copied.put()).isEmpty();
        assertThat(copied.problems())
                .extracting(FileProblem::toString)
                .containsExactly("a.yaml:1:1: A default/a stands a second time here and is left out, the one at"
                        + " b.yaml:1:1 is in force; remove or rename one of the two");
        assertThat(edited.put())
                .singleElement()
                .satisfies(a -> assertThat(a.root().at()).hasToString("b.yaml:1:1"));
        assertThat(dropped.put()).extracting(Document::name).containsExactlyInAnyOrder("a", "b");
        assertThat(dropped.removed()).isEmpty();
        assertThat(dropped.problems()).isEmpty();
    }

    @Test
    void waitsForTheSecondHalfOfAFileThatIsSavedInTwo() throws Exception {
        write("a.yaml", document("a", 1) + "---\n" + document("b", 1));
        directory.next();

        long began = System.nanoTime();
        write("a.yaml", document("a", 2));
        var second = later(Duration.ofMillis(60), () -> append("a.yaml", "---\n" + document("b", 2)));
        var changes = directory.next();

        second.get();
        assertThat(changes.removed()).isEmpty();
        assertThat(changes.put()).extracting(Document::name).containsExactly("a", "b");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void aFileThatIsBeingWrittenHoldsUpNoOther() throws Exception {
        directory.next();
        write("busy.yaml", document("b", 1));
        var writing = new AtomicBoolean(true);
        var writer = later(Duration.ZERO, () -> {
            while (writing.get()) {
                append("busy.yaml", "# more\n");
                LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
            }
        });

        long began = System.nanoTime();
        write("a.yaml", document("a", 1));
        var first = directory.next();
        var took = Duration.ofNanos(System.nanoTime() - began);
        writing.set(false);
        writer.get();
        var second = directory.next();

        assertThat(first.put()).extracting(Document::name).containsExactly("a");
        assertThat(took).isLessThan(Duration.ofSeconds(1));
        assertThat(second.put()).extracting(Document::name).containsExactly("b");
    }

    private static CompletableFuture<Void> later(Duration after, Runnable what) {
        return CompletableFuture.runAsync(
                what, CompletableFuture.delayedExecutor(after.toMillis(), TimeUnit.MILLISECONDS));
    }

    private void append(String name, String text) {
        try {
            Files.writeString(folder.resolve(name), text, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void doesNotTakeAHalfWrittenFileForAnEmptyOne() throws Exception {
        write("a.yaml", document("a", 1));
        directory.next();

        write("a.yaml", "");
        var second = later(Duration.ofMillis(250), () -> append("a.yaml", document("a", 2)));
        var changes = directory.next();

        second.get();
        assertThat(changes.removed()).isEmpty();
        assertThat(changes.put()).hasSize(1);
    }

    @Test
    void doesNotTakeTheCommentThatAFileBeginsWithForTheFile() throws Exception {
        write("a.yaml", document("a", 1));
        directory.next();

        write("a.yaml", "# Payments, by whom to ask.\n");
        var second = later(Duration.ofMillis(600), () -> append("a.yaml", document("a", 2)));
        var changes = directory.next();

        second.get();
        assertThat(changes.removed()).isEmpty();
        assertThat(changes.put()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing any more\n", "# nothing any more", "---\n"})
    void believesAFileThatSaysNothingForLong(String nothing) throws Exception {
        write("a.yaml", document("a", 1));
        directory.next();

        write("a.yaml", nothing);

        assertThat(directory.next().removed()).containsExactly("/A/default/a");
    }

    @ParameterizedTest
    @CsvSource({"---,6:1: ends with ---,remove that line", "'',5:11: ends within a line,end that line"})
    void keepsWhatIsGoneFromAFileThatEndsAsIfItWereCutOff(String end, String wrong, String wayOut) throws Exception {
        write("a.yaml", document("a", 1) + "---\n" + document("b", 1));
        directory.next();

        write("a.yaml", document("a", 2).stripTrailing() + (end.isEmpty() ? "" : "\n" + end + "\n"));
        var cutOff = directory.next();
        write("a.yaml", document("a", 2));
        var whole = directory.next();

        assertThat(cutOff.put()).isEmpty();
        assertThat(cutOff.removed()).isEmpty();
        assertThat(cutOff.problems())
                .extracting(FileProblem::toString)
                .containsExactly("a.yaml:" + wrong + ", and A default/b is gone from it, as if it were cut off; "
                        + wayOut + " if that is meant; what was last read from here stays in force");
        assertThat(whole.removed()).containsExactly("/A/default/b");
        assertThat(whole.problems()).isEmpty();
    }

    /// A policy that denies, cut off before its rules, denies nothing, and reads well.
    @Test
    void keepsADocumentThatWasCutThrough() throws Exception {
        write("a.yaml", document("a", 1) + "rules:\n- all\n");
        directory.next();

        write("a.yaml", document("a", 1).stripTrailing());
        var cut = directory.next();
        write("a.yaml", document("a", 1));
        var meant = directory.next();

        assertThat(cut.put()).isEmpty();
        assertThat(cut.problems())
                .extracting(FileProblem::toString)
                .containsExactly("a.yaml:5:11: ends within a line, and lines are gone from it, as if it were cut off;"
                        + " end that line if that is meant; what was last read from here stays in force");
        assertThat(meant.put()).hasSize(1);
        assertThat(meant.problems()).isEmpty();
    }

    @Test
    void anEditThatLeavesOutTheLastEndOfLineIsObeyed() throws Exception {
        write("a.yaml", document("a", 1) + "\n\n");
        directory.next();

        write("a.yaml", document("a", 2).stripTrailing());
        var changes = directory.next();

        assertThat(changes.put()).hasSize(1);
        assertThat(changes.problems()).isEmpty();
    }

    @Test
    void aFileThatNeverEndedItsLastLineIsNotCutOff() throws Exception {
        write("a.yaml", document("a", 1) + "---\n" + document("b", 1).stripTrailing());
        directory.next();

        write("a.yaml", document("a", 1).stripTrailing());
        var changes = directory.next();

        assertThat(changes.removed()).containsExactly("/A/default/b");
        assertThat(changes.problems()).isEmpty();
    }

    @Test
    void watchesFilesWhateverTheCaseOfTheirEnding() throws Exception {
        write("a.YAML", document("a", 1));
        directory.next();

        write("a.YAML", document("a", 2));

        assertThat(directory.next().put()).extracting(Document::name).containsExactly("a");
    }

    @Test
    void keepsWhatIsInForceWhereALinkLeadsNowhere() throws Exception {
        Path target = Files.createTempFile(folder, ".target", "");
        Files.writeString(target, document("a", 1));
        Path link = Files.createSymbolicLink(folder.resolve("a.yaml"), target);
        assertThat(directory.next().put()).hasSize(1);

        Files.delete(target);
        var broken = directory.next();
        assertThat(broken.removed()).isEmpty();
        assertThat(broken.problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem.message())
                        .isEqualTo("is a link to a file that is not there; correct or remove the link; what was last"
                                + " read from here stays in force"));

        Files.delete(link);
        assertThat(directory.next().removed()).containsExactly("/A/default/a");
    }

    @Test
    void keepsWhatIsInForceWhereSomethingElseStandsInAFilesPlace() throws Exception {
        write("a.yaml", document("a", 1));
        write("b.yaml", document("b", 1));
        directory.next();

        Files.delete(folder.resolve("a.yaml"));
        Files.createDirectory(folder.resolve("a.yaml"));
        Files.delete(folder.resolve("b.yaml"));
        Files.createSymbolicLink(folder.resolve("b.yaml"), Path.of("/dev/zero"));
        var broken = directory.next();
        while (broken.problems().size() < 2) {
            broken = directory.next();
        }

        assertThat(broken.removed()).isEmpty();
        assertThat(broken.problems())
                .extracting(problem -> problem.at() + ": " + problem.message())
                .containsExactly(
                        "a.yaml:1:1: is no file; put the file back, or remove this; what was last read from here stays"
                                + " in force",
                        "b.yaml:1:1: is no file; put the file back, or remove this; what was last read from here stays"
                                + " in force");

        Files.delete(folder.resolve("a.yaml"));
        Files.delete(folder.resolve("b.yaml"));
        var removed = new TreeSet<>(directory.next().removed());
        while (removed.size() < 2) {
            removed.addAll(directory.next().removed());
        }
        assertThat(removed).containsExactly("/A/default/a", "/A/default/b");
    }

    @Test
    void keepsWhatIsInForceWhereAFileIsRenamedAndBrokenAtOnce() throws Exception {
        write("a.yaml", document("a", 1));
        write("b.yaml", document("b", 1));
        directory.next();

        write("a.yaml", "spec: [half");
        Files.move(folder.resolve("a.yaml"), folder.resolve("c.yaml"));
        Files.delete(folder.resolve("b.yaml"));
        var broken = directory.next();

        assertThat(broken.removed()).isEmpty();
        assertThat(broken.problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem.at() + ": " + problem.message())
                        .startsWith("c.yaml:1:")
                        .endsWith("; what was last read from a.yaml, b.yaml, now gone, stays in force"));

        write("c.yaml", document("a", 2));
        var mended = directory.next();
        assertThat(mended.put()).extracting(Document::name).containsExactly("a");
        assertThat(mended.removed()).containsExactly("/A/default/b");
        assertThat(mended.problems()).isEmpty();
    }

    @Test
    void obeysARemovalBesideAFileThatWasNeverRight() throws Exception {
        write("a.yaml", document("a", 1));
        write("never.yaml", "spec: [half");
        directory.next();

        Files.delete(folder.resolve("a.yaml"));

        assertThat(directory.next().removed()).containsExactly("/A/default/a");
    }

    @Test
    void recallsOverARestartWhatAFileSaidThatIsRenamedAndBroken() throws Exception {
        var kept = new Kept();
        kept.keep(Map.of("a.yaml", document("a", 1).getBytes(StandardCharsets.UTF_8)));
        write("c.yaml", "spec: [half");

        try (var after = Directory.open(folder, kept)) {
            var changes = after.next();
            assertThat(changes.put()).extracting(Document::name).containsExactly("a");
            assertThat(changes.problems())
                    .singleElement()
                    .satisfies(problem -> assertThat(problem.message())
                            .endsWith("; what was last read from a.yaml, now gone, stays in force"));

            Files.delete(folder.resolve("c.yaml"));
            assertThat(after.next().removed()).containsExactly("/A/default/a");
        }
    }

    @Test
    void keepsWhatIsInForceWhileTheDirectoryIsGone() throws Exception {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        try (var gone = Directory.open(inner, Recollection.NONE)) {
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
    void recallsOverARestartWhatABrokenFileSaid() throws Exception {
        var kept = new Kept();
        try (var before = Directory.open(folder, kept)) {
            write("a.yaml", document("a", 1));
            write("b.yaml", document("b", 1));
            before.next();

            write("a.yaml", "spec: [half");
            before.next();
        }
        assertThat(kept.texts).as("before it was broken").containsOnlyKeys("a.yaml", "b.yaml");

        try (var after = Directory.open(folder, kept)) {
            var changes = after.next();
            assertThat(changes.put()).extracting(Document::name).containsExactly("a", "b");
            assertThat(changes.problems())
                    .singleElement()
                    .satisfies(problem ->
                            assertThat(problem.message()).endsWith("; what was last read from here stays in force"));

            write("a.yaml", document("a", 2));
            assertThat(after.next().put()).extracting(Document::name).containsExactly("a");
        }
    }

    @Test
    void recallsWhatAFileSaidThatWasBrokenMeanwhile() throws Exception {
        var kept = new Kept();
        write("a.yaml", document("a", 1));
        try (var before = Directory.open(folder, kept)) {
            before.next();
            write("b.yaml", document("b", 1));
            before.next();
        }
        write("a.yaml", "spec: [half");

        try (var after = Directory.open(folder, kept)) {
            var changes = after.next();
            assertThat(changes.put()).extracting(Document::name).containsExactly("a", "b");
            assertThat(changes.problems()).hasSize(1);
        }
    }

    @Test
    void recallsNothingOfAFileThatWentMeanwhile() throws Exception {
        var kept = new Kept();
        kept.keep(Map.of("a.yaml", document("a", 1).getBytes(StandardCharsets.UTF_8)));

        try (var after = Directory.open(folder, kept)) {
            assertThat(after.next().put()).isEmpty();
        }
    }

    @Test
    void prefersWhatAFileSaysToWhatItSaid() throws Exception {
        var kept = new Kept();
        kept.keep(Map.of("a.yaml", (document("a", 1) + "---\n" + document("b", 1)).getBytes(StandardCharsets.UTF_8)));
        write("a.yaml", document("a", 2));

        try (var after = Directory.open(folder, kept)) {
            assertThat(after.next().put()).extracting(Document::name).containsExactly("a");
        }
    }

    private static final class Kept implements Recollection {
        private Map<String, byte[]> texts = Map.of();

        @Override
        public Map<String, byte[]> texts() {
            return texts;
        }

        @Override
        public void keep(Map<String, byte[]> now) {
            texts = now;
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
