package dev.bodyguard.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocalityTest {
    @Test
    void labelsSayWhereSomethingRuns() {
        assertThat(Locality.of(Map.of())).isEqualTo(Locality.UNKNOWN);
        assertThat(Locality.of(Map.of(
                        "topology.kubernetes.io/region",
                        "eu-1",
                        "topology.kubernetes.io/zone",
                        "eu-1a",
                        "topology.istio.io/subzone",
                        "rack-7")))
                .isEqualTo(new Locality("eu-1", "eu-1a", "rack-7"));
        assertThat(Locality.of(Map.of("topology.kubernetes.io/region", "eu-1", "topology.istio.io/locality", "us-1.b")))
                .isEqualTo(new Locality("us-1", "b", ""));
        assertThat(Locality.of(Map.of("istio-locality", "us-1.b.c.d"))).isEqualTo(new Locality("us-1", "b", "c.d"));
        assertThat(Locality.of(Map.of("topology.istio.io/locality", "us.1/b")))
                .isEqualTo(new Locality("us.1", "b", ""));
    }

    @ParameterizedTest
    @CsvSource({
        "eu-1/a/1, eu-1/a/1, true",
        "eu-1/a/1, eu-1/a, true",
        "eu-1/a/1, eu-1, true",
        "eu-1/a/1, *, true",
        "eu-1/a/1, eu-1/*, true",
        "eu-1/a/1, eu-1/*/1, true",
        "eu-1/a/1, eu-1/a/2, false",
        "eu-1/a/1, eu-1/b, false",
        "eu-1/a/1, eu-2, false",
        "eu-1/a/1, eu, false",
        "eu-1, eu-1/a, false",
        "//, *, true",
        "//, eu-1, false",
    })
    void placesAreMeantByTheirBeginning(String where, String meant, boolean expected) {
        assertThat(Locality.of(where).isIn(Locality.of(meant))).isEqualTo(expected);
    }
}
