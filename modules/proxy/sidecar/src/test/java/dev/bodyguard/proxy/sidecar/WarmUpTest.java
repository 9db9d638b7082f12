package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.machine.LoopbackPort;
import dev.bodyguard.proxy.wire.Loops;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.telemetry.record.Party;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A sidecar calls itself.
@Timeout(60)
class WarmUpTest {
    private static final int REQUESTS = 50;

    @TempDir
    Path folder;

    private final Loops loops = Loops.start(1);
    private TestAuthority authority;

    @BeforeEach
    void found() throws Exception {
        authority = new TestAuthority("cluster.local");
    }

    @AfterEach
    void close() {
        loops.close();
    }

    @Test
    void goesThroughBothPathsAndEnds() throws Exception {
        var asked = new AtomicInteger();
        var warmUp = begin(authority.svid("payment-service"), new WarmUp.Pace() {
            @Override
            public boolean isInService() {
                return false;
            }

            @Override
            public boolean isBusy() {
                asked.incrementAndGet();
                return false;
            }

            @Override
            public boolean isEnough(int answered) {
                return answered >= REQUESTS;
            }
        });
        var end = warmUp.ended().toCompletableFuture().get(30, TimeUnit.SECONDS);

        assertThat(end.trouble()).isEmpty();
        assertThat(end.answered()).isEqualTo(REQUESTS);
        assertThat(asked).hasValue(REQUESTS);
        TestSidecar.eventually(
                "its ports are closed", () -> warmUp.ports().stream().allMatch(LoopbackPort::isFree));
    }

    @Test
    void asksNowAndThenOnceInServiceAndNotAtAllWhileSomebodyIsThere() throws Exception {
        var looked = new AtomicInteger();
        var warmUp = begin(authority.svid("payment-service"), new WarmUp.Pace() {
            @Override
            public boolean isInService() {
                return true;
            }

            @Override
            public boolean isBusy() {
                return looked.incrementAndGet() > 5;
            }

            @Override
            public boolean isEnough(int answered) {
                return answered >= REQUESTS;
            }
        });
        var began = System.nanoTime();

        TestSidecar.eventually("five requests, and then looks only", () -> looked.get() >= 8);

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofMillis(4 * 20 + 2 * 250));
        assertThat(warmUp.ended().toCompletableFuture()).isNotDone();
    }

    @Test
    void saysWhyItCannot() throws Exception {
        var end = begin(authority.expired("payment-service"), new WarmUp.Pace() {
                    @Override
                    public boolean isInService() {
                        return false;
                    }

                    @Override
                    public boolean isBusy() {
                        return false;
                    }

                    @Override
                    public boolean isEnough(int answered) {
                        return answered >= REQUESTS;
                    }
                })
                .ended()
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);

        assertThat(end.answered()).isZero();
        assertThat(end.trouble()).contains("its own answer was 503");
    }

    private WarmUp begin(Svid svid, WarmUp.Pace pace) throws IOException {
        var settings = switch (Settings.from(
                List.of("--service", "payment-service", "--app-port", "8080", "--state", "" + folder), Map.of())) {
            case Settings.Asked.Run(var asked) -> asked;
            case Settings.Asked.Help _, Settings.Asked.Mistake _ -> throw new AssertionError("settings");
        };
        var tls = new MeshTls(svid, InstantSource.system());
        return WarmUp.begin(settings, svid.id(), Party.UNKNOWN, tls, loops, pace);
    }
}
