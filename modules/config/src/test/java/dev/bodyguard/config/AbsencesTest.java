package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.server.Peer;
import io.envoyproxy.envoy.config.core.v3.Node;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class AbsencesTest {
    private static final String CHECKOUT = "spiffe://cluster.local/ns/default/sa/checkout";
    private static final String OTHER = "spiffe://cluster.local/ns/default/sa/other";
    private static final Duration HOUR = Duration.ofHours(1);

    private Instant now = Instant.parse("2026-01-02T03:04:05Z");
    private final Absences absences = new Absences(() -> now);
    private long streams;

    @Test
    void whoeverGoesIsAbsentUntilItComesAgain() {
        var envoy = came("envoy", "checkout-1", CHECKOUT, HOUR);
        assertThat(absences.all()).isEmpty();

        absences.went(envoy, "the client is gone");
        assertThat(absences.all().stream().map(StateDump::absent))
                .containsExactly(
                        "{\"node\":\"checkout-1\",\"kind\":\"envoy\",\"peer\":\"" + CHECKOUT + " at /127.0.0.1:4711\","
                                + "\"cameWithCertificateUntil\":\"2026-01-02T04:04:05Z\",\"connected\":false,"
                                + "\"since\":\"2026-01-02T03:04:05Z\",\"forgottenAt\":\"2026-01-02T04:04:05Z\","
                                + "\"why\":\"the client is gone\"}");

        came("envoy", "checkout-1", CHECKOUT, HOUR);
        assertThat(absences.all()).isEmpty();
    }

    @Test
    void theCertificateThatItCameWithMayHaveExpiredLongAgo() {
        var grpc = came("grpc", "checkout-1", CHECKOUT, HOUR);

        pass(Duration.ofHours(10));
        absences.went(grpc, "the client is gone");
        pass(Duration.ofMinutes(59));
        assertThat(nodes()).containsExactly("checkout-1");

        // The one that it has renewed at the very end has expired now too.
        pass(Duration.ofMinutes(1));
        assertThat(nodes()).isEmpty();
    }

    @Test
    void nobodyIsRememberedForMoreThanADay() {
        absences.went(came("envoy", "checkout-1", CHECKOUT, Duration.ofDays(90)), "the client is gone");

        pass(Duration.ofHours(23));
        assertThat(nodes()).containsExactly("checkout-1");
        pass(HOUR);
        assertThat(nodes()).isEmpty();
    }

    @Test
    void aStreamThatEndsWhileAnotherOneIsThereIsNoAbsence() {
        var before = came("envoy", "checkout-1", CHECKOUT, HOUR);
        var after = came("envoy", "checkout-1", CHECKOUT, HOUR);

        absences.went(before, "the client is gone");
        assertThat(nodes()).isEmpty();
        absences.went(after, "the client is gone");
        assertThat(nodes()).containsExactly("checkout-1");
    }

    @Test
    void sidecarsComeAndGo() {
        absences.went(came("bodyguard", "checkout-1", CHECKOUT, HOUR), "the client is gone");

        assertThat(nodes()).isEmpty();
    }

    @Test
    void whoeverComesUnderManyNamesTakesNoPlaceOfOthers() {
        absences.went(came("envoy", "other-1", OTHER, HOUR), "the client is gone");
        for (int i = 0; i < 10 * Absences.MOST; i++) {
            absences.went(came("envoy", "checkout-" + i, CHECKOUT, HOUR), "the client is gone");
        }
        absences.went(came("envoy", "x".repeat(5_000), OTHER, HOUR), "the client is gone");

        assertThat(nodes())
                .hasSize(1 + Absences.MOST_OF_ONE)
                .contains("other-1", "checkout-" + (10 * Absences.MOST - 1))
                .doesNotContain("checkout-0");
    }

    @Test
    void theLatestOfAllAreRemembered() {
        for (int i = 0; i <= Absences.MOST; i++) {
            absences.went(came("grpc", "client-" + i, CHECKOUT + i, HOUR), "the client is gone");
        }

        assertThat(nodes()).hasSize(Absences.MOST).doesNotContain("client-0");
    }

    private List<String> nodes() {
        return absences.all().stream().map(Absences.Absent::node).toList();
    }

    private void pass(Duration time) {
        now = now.plus(time);
    }

    private Client came(String generator, String name, String id, Duration life) {
        var metadata = Struct.newBuilder();
        metadata.putFields(
                "GENERATOR", Value.newBuilder().setStringValue(generator).build());
        metadata.putFields(
                "OUTBOUND_ADDRESS",
                Value.newBuilder().setStringValue("127.0.0.1:15001").build());
        var client = new Client(
                ++streams,
                Node.newBuilder().setId(name).setMetadata(metadata).build(),
                new Peer(List.of(id), "/127.0.0.1:4711", new Peer.Life(now, now.plus(life))));
        absences.came(client);
        return client;
    }
}
