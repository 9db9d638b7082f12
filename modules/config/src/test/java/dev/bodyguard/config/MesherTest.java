package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Workload;
import dev.bodyguard.xds.compile.Compiler;
import dev.bodyguard.xds.compile.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MesherTest {
    private final Diary diary = new Diary();
    private final Semaphore published = new Semaphore(0);
    private Mesher mesher;

    @BeforeEach
    void start(@TempDir Path state) {
        mesher = new Mesher(
                new Plain(),
                mesh -> new Compiler(mesh, Settings.USUAL),
                published::release,
                new LastGood(state.resolve("last-good"), diary),
                diary,
                Pace.ORDINARY);
        mesher.start();
    }

    @AfterEach
    void close() {
        mesher.close();
    }

    @Test
    void halfOfTheTruthIsNotPublished() throws InterruptedException {
        put("v1/a", Plain.document("a", "one"));
        assertThat(mesher.isReady()).isFalse();

        tell(new Mesher.WorkloadsChanged(Map.of(), List.of()));
        awaitPublished();

        assertThat(mesher.isReady()).isTrue();
        assertThat(diary.read()).containsExactly("published 1: 1 documents, 0 workloads, 0 problems", "ready");
    }

    @Test
    void whoWaitsForTheWholeTruthIsLetGoAtTheEnd() throws InterruptedException {
        var waiting = Thread.ofVirtual().start(() -> {
            try {
                mesher.awaitReady();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        });

        mesher.close();

        assertThat(waiting.join(Duration.ofSeconds(30))).isTrue();
        assertThat(mesher.current()).isNull();
    }

    @Test
    void eachChangeMakesAGeneration() throws InterruptedException {
        begin();

        tell(new Mesher.WorkloadsChanged(Map.of("default/pay-1", workload()), List.of()));
        awaitPublished();
        put("v1/a", Plain.document("a", "one", "wrong"));
        awaitPublished();
        tell(new Mesher.WorkloadsChanged(Map.of(), List.of("default/pay-1")));
        awaitPublished();

        assertThat(diary.read())
                .filteredOn(line -> line.startsWith("published"))
                .containsExactly(
                        "published 2: 0 documents, 1 workloads, 0 problems",
                        "published 3: 1 documents, 1 workloads, 1 problems",
                        "published 4: 1 documents, 0 workloads, 1 problems");
        assertThat(mesher.problems()).hasSize(1);
    }

    @Test
    void aDocumentThatGoesOnUnderAnotherApiVersionStays() throws InterruptedException {
        begin();
        put("v1/a", Plain.document("test/v1", "a", 1, "one"));
        awaitPublished();
        diary.read();

        tell(new Mesher.DocumentsChanged(Map.of("v2/a", Plain.document("test/v2", "a", 1, "one")), List.of("v1/a")));
        awaitPublished();

        assertThat(diary.read()).containsExactly("published 3: 1 documents, 0 workloads, 0 problems");
    }

    @Test
    void aDocumentThatIsGoneIsGone() throws InterruptedException {
        begin();
        put("v1/a", Plain.document("a", "wrong"));
        awaitPublished();
        diary.read();

        tell(new Mesher.DocumentsChanged(Map.of(), List.of("v1/a")));
        awaitPublished();

        assertThat(diary.read()).containsExactly("published 3: 0 documents, 0 workloads, 0 problems");
        assertThat(mesher.problems()).isEmpty();
    }

    @Test
    void whoComesAndGoesAllTheTimeDoesNotKeepEverybodyBusyNorDelayAnothersEdit() throws InterruptedException {
        begin();
        long begun = System.nanoTime();
        int generations = 0;
        long edited = 0;
        long inForce = 0;
        for (int i = 0; i < 1_000 || inForce == 0; i++) {
            tell(
                    i % 2 == 0
                            ? new Mesher.WorkloadsChanged(Map.of("default/pay-1", workload()), List.of())
                            : new Mesher.WorkloadsChanged(Map.of(), List.of("default/pay-1")));
            if (i == 500) {
                edited = System.nanoTime();
                put("v1/a", Plain.document("a", "wrong"));
            }
            if (published.tryAcquire(1, TimeUnit.MILLISECONDS)) {
                generations++;
            }
            if (inForce == 0 && !mesher.problems().isEmpty()) {
                inForce = System.nanoTime();
            }
        }

        assertThat(generations).isBetween(2, 2 + (int) ((System.nanoTime() - begun) / 200_000_000));
        assertThat(Duration.ofNanos(inForce - edited)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void whatBelongsTogetherGoesTogetherAndWhatIsAloneGoesSoon() {
        var pace = new Pace(Duration.ofNanos(20), Duration.ofNanos(200), Duration.ofNanos(3_000));

        assertThat(pace.due(1_000, 0)).isEqualTo(1_020);
        assertThat(pace.due(1_000, 990)).isEqualTo(1_190);
        assertThat(pace.due(-10, -500)).as("nanoTime may be negative").isEqualTo(10);
    }

    private void begin() throws InterruptedException {
        tell(new Mesher.DocumentsChanged(Map.of(), List.of()));
        tell(new Mesher.WorkloadsChanged(Map.of(), List.of()));
        awaitPublished();
        diary.read();
    }

    private void tell(Mesher.Message message) {
        mesher.tell(message, "1");
    }

    private void put(String name, Document document) {
        tell(new Mesher.DocumentsChanged(Map.of(name, document), List.of()));
    }

    private void awaitPublished() throws InterruptedException {
        assertThat(published.tryAcquire(30, TimeUnit.SECONDS))
                .as("a generation was published")
                .isTrue();
    }

    private static Workload workload() {
        return Workload.registered(
                "default", "pay-1", "pay", "pay", Map.of("version", "v1"), "127.0.0.1", Map.of(8080, 9001), true);
    }
}
