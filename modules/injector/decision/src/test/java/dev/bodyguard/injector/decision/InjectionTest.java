package dev.bodyguard.injector.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InjectionTest {
    private static final Injection INJECTION = new Injection(Given.sidecar());

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // pod label, pod annotation, namespace label, namespace annotation | gets one
                "-                             | -                         | -                           | -                         | false",
                "-                             | -                         | istio-injection=enabled     | -                         | true",
                "-                             | -                         | istio-injection=Enabled     | -                         | true",
                "-                             | -                         | istio-injection=Disabled    | -                         | false",
                "-                             | -                         | istio.io/rev=default        | -                         | true",
                "-                             | -                         | istio.io/rev=1-30           | -                         | false",
                "-                             | -                         | bodyguard.dev/inject=enabled | -                        | true",
                "-                             | -                         | -                           | linkerd.io/inject=enabled | true",
                "-                             | -                         | istio-injection=disabled    | linkerd.io/inject=enabled | false",
                "-                             | -                         | istio-injection=enabled     | linkerd.io/inject=disabled | false",
                "sidecar.istio.io/inject=true  | -                         | istio-injection=disabled    | -                         | true",
                "sidecar.istio.io/inject=false | -                         | istio-injection=enabled     | -                         | false",
                "sidecar.istio.io/inject=false | linkerd.io/inject=enabled | -                           | -                         | false",
                "sidecar.istio.io/inject=true  | linkerd.io/inject=disabled | istio-injection=enabled    | -                         | false",
                "bodyguard.dev/inject=true     | -                         | -                           | -                         | true",
                "sidecar.istio.io/inject=True  | -                         | -                           | -                         | true",
                "-                             | -                         | -                           | sidecar.istio.io/inject=true | false",
                "-                             | -                         | bodyguard.dev/inject=disabled | linkerd.io/inject=enabled | false",
                "istio.io/rev=default          | -                         | -                           | -                         | true",
                "istio.io/rev=other            | -                         | istio-injection=enabled     | -                         | false",
                "-                             | linkerd.io/inject=ingress | -                           | -                         | true",
                "-                             | sidecar.istio.io/inject=false | istio-injection=enabled | -                         | false",
            })
    void thePodGoesBeforeItsNamespaceAndDecliningBeforeAsking(
            String podLabel, String podAnnotation, String label, String annotation, boolean injected) {
        var pod = Tree.obj(
                "metadata", Tree.obj("labels", object(podLabel), "annotations", object(podAnnotation)),
                "spec", Tree.obj("containers", Tree.arr(Tree.obj("name", "app", "image", "a"))));
        var namespace = new Namespace("shop", map(label), map(annotation));

        var decision = INJECTION.decide(pod, "web", namespace);

        assertThat(decision).isInstanceOf(injected ? Decision.Injected.class : Decision.NotAsked.class);
    }

    @ParameterizedTest
    @CsvSource({"yes", "on", "no", "''"})
    void aWishThatIsNotUnderstoodIsRefusedWithTheWayOut(String value) {
        var pod = Given.json("""
                {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "app", "image": "a"}]}}""");
        var namespace = new Namespace("shop", Map.of("istio-injection", value), Map.of());

        assertThat(INJECTION.decide(pod, "x", namespace))
                .isEqualTo(new Decision.Refused(
                        "namespace shop's label istio-injection=" + value + " says neither yes nor no",
                        "write enabled or disabled"));
    }

    @Test
    void aSecondDecisionFindsTheSidecar() {
        var pod = Given.json("""
                {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "app", "image": "a"}]}}""");

        var patched = patched(pod, Namespace.optedIn("shop"));

        assertThat(INJECTION.decide(patched, "x", Namespace.optedIn("shop")))
                .isEqualTo(new Decision.Already("default"));
    }

    @Test
    void thePatchMakesWhatIsNotThere() {
        var pod = Given.json("""
                {"spec": {"containers": [{"name": "app", "image": "a"}], "volumes": null}}""");

        var patched = patched(pod, Namespace.optedIn("shop"));

        assertThat(patched.at("metadata", "labels", "service.istio.io/canonical-name")
                        .text())
                .hasValue("web");
        assertThat(patched.at("spec", "volumes").items()).hasSize(5);
        assertThat(patched.at("spec", "initContainers").items())
                .extracting(container -> container.at("name").text())
                .containsExactly(Optional.of("bodyguard-init"), Optional.of("bodyguard-proxy"));
    }

    @Test
    void aNamespacesLinkerdSettingsHoldUnlessThePodSaysOtherwise() {
        var pod = Given.json("""
                {"metadata": {"annotations": {"config.linkerd.io/skip-inbound-ports": "26"}},
                 "spec": {"containers": [{"name": "app", "image": "a"}]}}""");
        var namespace = new Namespace(
                "shop",
                Map.of("istio-injection", "enabled"),
                Map.of(
                        "config.linkerd.io/skip-inbound-ports", "25",
                        "config.linkerd.io/skip-outbound-ports", "3306"));

        var init = patched(pod, namespace).at("spec", "initContainers").items().getFirst();

        assertThat(env(init, "CAPTURE_EXCLUDE_INBOUND_PORTS")).endsWith(",26").doesNotContain("25");
        assertThat(env(init, "CAPTURE_EXCLUDE_OUTBOUND_PORTS")).isEqualTo("3306");
    }

    @Test
    void loopbackPortsAreThoseThatTheAppDoesNotListenOn() {
        var pod = Given.json("""
                {"spec": {"containers": [{"name": "app", "image": "a", "ports": [{"containerPort": 443}]}]}}""");

        var init = patched(pod, Namespace.optedIn("shop"))
                .at("spec", "initContainers")
                .items()
                .getFirst();

        assertThat(env(init, "CAPTURE_LOOPBACK_PORTS")).isEqualTo("80");
    }

    @Test
    void whoeverIsNotToBeScrapedIsNot() {
        var pod = Given.json("""
                {"metadata": {"annotations": {"prometheus.io/scrape": "false"}},
                 "spec": {"containers": [{"name": "app", "image": "a"}]}}""");

        var annotations = patched(pod, Namespace.optedIn("shop")).at("metadata", "annotations");

        assertThat(annotations.at("prometheus.io/scrape").text()).hasValue("false");
        assertThat(annotations.at("prometheus.io/port").text()).isEmpty();
    }

    @Test
    void aSidecarsSettingsAreChecked() {
        org.assertj.core.api.Assertions.assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new Sidecar("b", "no tag", "default", "cluster.local", Sidecar.Shape.NATIVE, Defaults.USUAL))
                .withMessage("the tag must be an image's tag such as 1.2.0, was 'no tag'");
    }

    private static Tree patched(Tree pod, Namespace namespace) {
        var decision = INJECTION.decide(pod, "web", namespace);
        assertThat(decision).isInstanceOf(Decision.Injected.class);
        return Patched.apply(pod, JsonPatch.of(pod, ((Decision.Injected) decision).edits()));
    }

    private static String env(Tree container, String name) {
        return container.at("env").items().stream()
                .filter(variable -> variable.at("name").text().equals(Optional.of(name)))
                .findFirst()
                .orElseThrow()
                .at("value")
                .text()
                .orElseThrow();
    }

    private static Tree object(String nameAndValue) {
        return new Tree.Obj(map(nameAndValue).entrySet().stream()
                .collect(java.util.stream.Collectors.toMap(
                        Map.Entry::getKey, entry -> new Tree.Text(entry.getValue()))));
    }

    private static Map<String, String> map(String nameAndValue) {
        if (nameAndValue == null) {
            return Map.of();
        }
        var both = nameAndValue.split("=", 2);
        return Map.of(both[0], both[1]);
    }
}
