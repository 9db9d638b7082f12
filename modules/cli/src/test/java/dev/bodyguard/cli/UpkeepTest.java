package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.identity.spiffe.Pem;
import dev.bodyguard.identity.spiffe.Svid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class UpkeepTest {
    @TempDir
    private Path temporary;

    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private Path out;

    @BeforeEach
    void disk() throws IOException {
        Files.createDirectory(temporary.resolve("disk"));
        putBack();
        out = temporary.resolve("mounted").resolve("out");
    }

    @Test
    void whatCouldNotBeWrittenIsInTheFolderSoonAfterItIsBack() throws Exception {
        try (var upkeep = begin()) {
            var first = rotate(upkeep);
            assertThat(upkeep.first().get(30, TimeUnit.SECONDS)).isEqualTo(first);

            takeAway();
            var second = rotate(upkeep);

            assertThat(line())
                    .startsWith("ERROR the new certificate of spiffe://cluster.local/ns/default/sa/checkout cannot be"
                            + " written to " + out + ": ")
                    .endsWith("; the one written before is good until " + first.expiresAt() + "; it is tried again"
                            + " every 10 ms until it succeeds");

            putBack();

            assertThat(line())
                    .isEqualTo("INFO the new certificate of spiffe://cluster.local/ns/default/sa/checkout is in " + out
                            + " now, good until " + second.expiresAt());
            assertThat(Pem.certificates(Pem.parse(Files.readString(out.resolve("cert.pem")))))
                    .isEqualTo(second.chain());
            assertThat(lines).isEmpty();
        }
    }

    @Test
    void whatIsRenewedMeanwhileIsWrittenInsteadAndTroubleIsToldOnce() throws Exception {
        try (var upkeep = begin()) {
            rotate(upkeep);
            var _ = upkeep.first().get(30, TimeUnit.SECONDS);
            takeAway();
            rotate(upkeep);
            assertThat(line()).startsWith("ERROR");
            var third = rotate(upkeep);

            putBack();

            // The second one may get there first.
            while (!Pem.certificates(Pem.parse(Files.readString(out.resolve("cert.pem"))))
                    .equals(third.chain())) {
                Thread.onSpinWait();
            }
            assertThat(line()).startsWith("INFO");
            assertThat(lines).isEmpty();
        }
    }

    @Test
    void aFolderThatCannotBeWrittenToAtFirstIsToldToWhoeverWaits() throws Exception {
        takeAway();

        try (var upkeep = begin()) {
            rotate(upkeep);

            assertThatThrownBy(() -> upkeep.first().get(30, TimeUnit.SECONDS))
                    .hasMessageContaining("cannot write to " + out + ": ");
        }
    }

    private Upkeep begin() {
        return Upkeep.start(new SvidFolder(out), Duration.ofMillis(10), (level, line) -> lines.add(level + " " + line));
    }

    private Svid rotate(Upkeep upkeep) throws IOException {
        var svid = SvidFolderTest.svid(temporary.resolve("authority"));
        upkeep.rotated(svid);
        return svid;
    }

    /// As a disk that is not mounted: nothing can be made in its place either.
    private void takeAway() throws IOException {
        mount(Files.writeString(temporary.resolve("a-file"), "no folder"));
    }

    private void putBack() throws IOException {
        mount(temporary.resolve("disk"));
    }

    /// In one step, so that nobody finds nothing in between.
    private void mount(Path what) throws IOException {
        var next = Files.createSymbolicLink(temporary.resolve("next"), what);
        Files.move(next, temporary.resolve("mounted"), StandardCopyOption.ATOMIC_MOVE);
    }

    private String line() throws InterruptedException {
        var line = lines.poll(30, TimeUnit.SECONDS);
        return line == null ? "nothing was said within 30 s" : line;
    }
}
