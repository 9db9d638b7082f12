package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Workload;
import dev.bodyguard.source.files.Yaml;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DoubtsTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final String ROUTE = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: pay}
            spec:
              hosts: [pay]
              http: [{route: [{destination: {host: payments}}]}]
            """;

    private final Names names = new Names();
    private final Doubts doubts = new Doubts(Duration.ofSeconds(30));

    @Test
    void aNameThatNobodyHasIsToldOfAfterAWhile() {
        look(mesh(ROUTE), 0);

        assertThat(doubts.told(29 * SECOND)).isEmpty();
        assertThat(doubts.next(29 * SECOND)).isEqualTo(SECOND);
        look(mesh(ROUTE), 29 * SECOND);
        assertThat(doubts.told(30 * SECOND))
                .singleElement()
                .asString()
                .contains("given.yaml:6:", "spec.http[0].route[0].destination", "nobody knows payments.default.svc");
        assertThat(doubts.next(30 * SECOND)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void whatIsKnownByThenIsNoTypoNorIsWhatWasKnownOnce() {
        look(mesh(ROUTE), 0);
        look(mesh(ROUTE, workload()), 10 * SECOND);
        look(mesh(ROUTE), 20 * SECOND);

        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    @Test
    void aServiceAndAnAccountAreKnownBeforeTheirWorkloads() {
        look(mesh(ROUTE + """
                ---
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: payments}
                """), 0);

        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    @Test
    void aCorrectedRuleIsForgotten() {
        look(mesh(ROUTE), 0);
        look(mesh(""), 40 * SECOND);

        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    private void look(Mesh mesh, long now) {
        names.look(mesh);
        doubts.look(mesh, names, now);
    }

    private static Mesh mesh(String yaml, Part... more) {
        var parts = new ArrayList<Part>();
        for (var document : Yaml.parse("given.yaml", yaml).documents()) {
            parts.addAll(Dialects.all().translate(document).parts());
        }
        parts.addAll(java.util.List.of(more));
        return Mesh.of(parts);
    }

    private static Workload workload() {
        return Workload.registered(
                "default", "payments-1", "payments", "payments", Map.of(), "127.0.0.1", Map.of(80, 8080), true);
    }
}
