package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MeshHostsTest {
    private final MeshHosts hosts = new MeshHosts();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "payment-service",
                "payment-service.",
                "payment-service.default.svc",
                "payment-service.default.svc.cluster.local",
                "PAYMENT-SERVICE.default.svc.cluster.local."
            })
    void claimNamesThatOnlyTheMeshCanMean(String host) {
        assertThat(hosts.claim(authority(host))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "127.0.0.1",
                "[::1]",
                "api.example.com",
                "payment-service.default",
                "svc.example.com"
            })
    void leaveAllOthersToThePolicy(String host) {
        assertThat(hosts.claim(authority(host))).isFalse();
    }

    @Test
    void claimWhatOnceHadRules() {
        hosts.saw(Set.of("80/api.example.com"));
        hosts.saw(Set.of());

        assertThat(hosts.claim(authority("api.example.com"))).isTrue();
        assertThat(hosts.claim(authority("api.example.com:81"))).isFalse();
    }

    @Test
    void rememberNoMoreThanSoMany() {
        for (int round = 0; round < 10; round++) {
            int at = round;
            hosts.saw(IntStream.range(0, Hosts.MOST)
                    .mapToObj(i -> "80/h" + at + "-" + i + ".example")
                    .collect(Collectors.toSet()));
        }

        long claimed = IntStream.range(0, 10 * Hosts.MOST)
                .filter(i -> hosts.claim(authority("h" + i / Hosts.MOST + "-" + i % Hosts.MOST + ".example")))
                .count();

        assertThat(claimed).isEqualTo(4L * Hosts.MOST);
    }

    private static Authority authority(String text) {
        return Objects.requireNonNull(Authority.parse(text, 80));
    }
}
