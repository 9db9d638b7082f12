package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.ServiceAccount;
import dev.bodyguard.model.Workload;
import dev.bodyguard.source.files.Yaml;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NamesTest {
    private final Names names = new Names();

    @Test
    void aNameWhoseWorkloadsAreGoneIsStillKnown() {
        names.look(workloads("pay"));
        names.look(workloads("refund"));

        assertThat(names.know("pay.default.svc.cluster.local")).isTrue();
        assertThat(names.know("pai.default.svc.cluster.local")).isFalse();
    }

    @Test
    void theNearestNameIsAsAnAuthorWritesIt() {
        names.look(workloads("pay"));

        assertThat(names.nearest("pai.default.svc.cluster.local", "default")).isEqualTo("pay");
        assertThat(names.nearest("pai.default.svc.cluster.local", "shop")).isEqualTo("pay.default");
        assertThat(names.nearest("pay.default", "default")).isEqualTo("pay");
        assertThat(names.nearest("pai.default.svc", "default")).isEqualTo("pay");
        assertThat(names.nearest("pai.example", "default")).isEmpty();
        assertThat(names.nearest("refund.default.svc.cluster.local", "default")).isEmpty();
    }

    @Test
    void aNameThatOnlyADocumentGaveGoesWithIt() {
        names.look(account("pay"));
        assertThat(names.know("pay.default.svc.cluster.local")).isTrue();

        names.look(workloads("refund"));

        assertThat(names.know("pay.default.svc.cluster.local")).isFalse();
    }

    @Test
    void aWildcardKnowsWhatIsBelowItAndIsKnownByIt() {
        names.look(Mesh.of(Dialects.all()
                .translate(Yaml.parse("given.yaml", """
                        apiVersion: networking.istio.io/v1
                        kind: ServiceEntry
                        metadata: {name: outside}
                        spec: {hosts: ["*.example.com"], ports: [{number: 80, name: http}]}
                        """).documents().getFirst())
                .parts()));

        assertThat(names.know("api.v2.example.com")).isTrue();
        assertThat(names.know("example.com")).isFalse();
        assertThat(names.know("*.example.com")).isTrue();
        assertThat(names.know("*.example.org")).isFalse();
    }

    @Test
    void whatWentFirstIsForgottenFirst() {
        names.look(workloads("first"));
        for (int i = 0; i < 20; i++) {
            var some = new String[500];
            for (int j = 0; j < some.length; j++) {
                some[j] = "app-" + i + "-" + j;
            }
            names.look(workloads(some));
        }
        assertThat(names.know("first.default.svc.cluster.local")).isTrue();

        names.look(workloads("last"));

        assertThat(names.know("first.default.svc.cluster.local")).isFalse();
        assertThat(names.know("app-0-0.default.svc.cluster.local")).isTrue();
    }

    private static Mesh account(String name) {
        return Mesh.of(
                List.of(new ServiceAccount("default", name, new Origin("ServiceAccount", "default", name, "", null))));
    }

    private static Mesh workloads(String... names) {
        List<Part> parts = new ArrayList<>();
        for (String name : names) {
            parts.add(Workload.registered(
                    "default", name + "-1", name, name, Map.of(), "127.0.0.1", Map.of(80, 8080), true));
        }
        return Mesh.of(parts);
    }
}
