package dev.bodyguard.injector.decision;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ManifestsTest {
    private static final Injection INJECTION = new Injection(Given.sidecar());

    @Test
    void nestingHasAnEnd() {
        var result = Manifests.inject("deep.yaml", "a: ".concat("[".repeat(10_000)), INJECTION);

        assertThat(result.refused()).isTrue();
        assertThat(result.reports().getFirst().lines().getFirst())
                .startsWith("deep.yaml:1 refused: cannot be read: nested deeper than 100 levels");
    }

    @Test
    void aBrokenDocumentDoesNotTakeItsNeighboursWithIt() {
        var text = "a: [\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers: [{name: a}]\n";

        var result = Manifests.inject("two.yaml", text, INJECTION);

        assertThat(result.reports().get(0).outcome()).isInstanceOf(Report.Outcome.Refused.class);
        assertThat(result.reports().get(1).outcome()).isInstanceOf(Report.Outcome.Changed.class);
    }

    @Test
    void whatSomebodyChangedAfterInjectionStaysChanged() {
        var text = """
                apiVersion: v1
                kind: Pod
                metadata:
                  name: x
                spec:
                  containers:
                  - name: a
                    livenessProbe:
                      tcpSocket:
                        port: 1
                """;
        var injected = Manifests.inject("x.yaml", text, INJECTION).text();

        var edited = injected.replace("path: /app-health/a/livez", "path: /mine")
                .replace("name: a\n", "name: a\n    image: b\n");
        var out = Manifests.uninject("x.yaml", edited);

        assertThat(out.text()).contains("path: /mine", "image: b").doesNotContain("bodyguard");
    }

    @Test
    void anIndentationThatWasChangedIsKept() {
        var text = """
                apiVersion: v1
                kind: Pod
                metadata:
                  name: x
                spec:
                  containers:
                  - name: a
                    livenessProbe:
                      tcpSocket:
                        port: 1
                """;
        var injected = Manifests.inject("x.yaml", text, INJECTION).text();

        var indented = injected.replace(
                "      httpGet:\n        path: /app-health/a/livez\n        port: 15020",
                "          httpGet:\n            path: /app-health/a/livez\n            port: 15020");
        var out = Manifests.uninject("x.yaml", indented);

        assertThat(out.text()).endsWith("livenessProbe:\n          tcpSocket:\n            port: 1\n");
    }

    @Test
    void aLayoutWithoutRoomIsRefused() {
        var text = "apiVersion: v1\nkind: Pod\nspec:\n  containers: [{name: a}]\n";

        var result = Manifests.inject("x.yaml", text, INJECTION);

        assertThat(result.text()).isEqualTo(text);
        assertThat(result.reports().getFirst().lines())
                .containsExactly("pod \"\" refused: its text leaves no line for what is to be added; write metadata and"
                        + " spec as blocks, each key on a line of its own");
    }
}
