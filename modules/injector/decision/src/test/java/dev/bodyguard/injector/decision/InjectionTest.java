package dev.bodyguard.injector.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InjectionTest {
    private static final Injection INJECTION = new Injection(Given.sidecar());

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // pod label, pod annotation, namespace label, namespace annotation | what becomes of it
                "-                             | -                         | -                           | -                         | NotAsked",
                "-                             | -                         | istio-injection=enabled     | -                         | Injected",
                "-                             | -                         | istio-injection=Enabled     | -                         | Injected",
                "-                             | -                         | istio-injection=Disabled    | -                         | NotAsked",
                "-                             | -                         | istio.io/rev=default        | -                         | Injected",
                "-                             | -                         | istio.io/rev=1-30           | -                         | Another",
                "-                             | -                         | bodyguard.dev/inject=enabled | -                        | Injected",
                "-                             | -                         | -                           | linkerd.io/inject=enabled | Injected",
                "-                             | -                         | istio-injection=disabled    | linkerd.io/inject=enabled | NotAsked",
                "-                             | -                         | istio-injection=enabled     | linkerd.io/inject=disabled | NotAsked",
                "sidecar.istio.io/inject=true  | -                         | istio-injection=disabled    | -                         | Injected",
                "sidecar.istio.io/inject=false | -                         | istio-injection=enabled     | -                         | NotAsked",
                "sidecar.istio.io/inject=false | linkerd.io/inject=enabled | -                           | -                         | NotAsked",
                "sidecar.istio.io/inject=true  | linkerd.io/inject=disabled | istio-injection=enabled    | -                         | NotAsked",
                "bodyguard.dev/inject=true     | -                         | -                           | -                         | Injected",
                "sidecar.istio.io/inject=True  | -                         | -                           | -                         | Injected",
                "-                             | -                         | -                           | sidecar.istio.io/inject=true | NotAsked",
                "-                             | -                         | bodyguard.dev/inject=disabled | linkerd.io/inject=enabled | NotAsked",
                "istio.io/rev=default          | -                         | -                           | -                         | Injected",
                "istio.io/rev=other            | -                         | istio-injection=enabled     | -                         | Another",
                "-                             | linkerd.io/inject=ingress | -                           | -                         | Injected",
                "istio.io/rev=other            | linkerd.io/inject=disabled | -                          | -                         | NotAsked",
                "istio.io/rev=other            | linkerd.io/inject=enabled | -                           | -                         | Another",
                "-                             | sidecar.istio.io/inject=false | istio-injection=enabled | -                         | NotAsked",
            })
    void thePodGoesBeforeItsNamespaceAndDecliningBeforeAsking(
            String podLabel, String podAnnotation, String label, String annotation, String becomes) {
        var pod = Tree.obj(
                "metadata", Tree.obj("labels", object(podLabel), "annotations", object(podAnnotation)),
                "spec", Tree.obj("containers", Tree.arr(Tree.obj("name", "app", "image", "a"))));
        var namespace = new Namespace("shop", map(label), map(annotation));

        var decision = INJECTION.decide(pod, "web", namespace);

        assertThat(decision.getClass().getSimpleName()).isEqualTo(becomes);
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

    /// What `images/init/capture` refuses, or iptables after it.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // annotation | value | the part that is wrong | what it must be
                "traffic.sidecar.istio.io/excludeInboundPorts    | *                  | *                 | ports from 1 to 65535 such as 8080,9000-9010",
                "traffic.sidecar.istio.io/excludeOutboundPorts   | 80,*               | *                 | ports from 1 to 65535 such as 8080,9000-9010",
                "config.linkerd.io/skip-inbound-ports            | *                  | *                 | ports from 1 to 65535 such as 8080,9000-9010",
                "config.linkerd.io/skip-outbound-ports           | 0                  | 0                 | ports from 1 to 65535 such as 8080,9000-9010",
                "traffic.sidecar.istio.io/excludeOutboundPorts   | 65536              | 65536             | ports from 1 to 65535 such as 8080,9000-9010",
                "traffic.sidecar.istio.io/excludeOutboundPorts   | 90-80              | 90-80             | ports from 1 to 65535 such as 8080,9000-9010",
                "traffic.sidecar.istio.io/excludeOutboundPorts   | 0100               | 0100              | ports from 1 to 65535 such as 8080,9000-9010",
                "traffic.sidecar.istio.io/includeInboundPorts    | 0-80               | 0-80              | ports from 1 to 65535 such as 8080,9000-9010, or *",
                "traffic.sidecar.istio.io/includeOutboundPorts   | 80-                | 80-               | ports from 1 to 65535 such as 8080,9000-9010, or *",
                "traffic.sidecar.istio.io/includeOutboundPorts   | http               | http              | ports from 1 to 65535 such as 8080,9000-9010, or *",
                "traffic.sidecar.istio.io/excludeOutboundIPRanges | *                 | *                 | address ranges such as 10.0.0.0/8,fd00::/8",
                "config.linkerd.io/skip-subnets                  | *                  | *                 | address ranges such as 10.0.0.0/8,fd00::/8",
                "config.linkerd.io/skip-subnets                  | fd00::/8,fd00::/129 | fd00::/129       | address ranges such as 10.0.0.0/8,fd00::/8",
                "traffic.sidecar.istio.io/excludeOutboundIPRanges | fd00:::1/128      | fd00:::1/128      | address ranges such as 10.0.0.0/8,fd00::/8",
                "traffic.sidecar.istio.io/excludeOutboundIPRanges | 10.0.0.0/         | 10.0.0.0/         | address ranges such as 10.0.0.0/8,fd00::/8",
                "traffic.sidecar.istio.io/excludeOutboundIPRanges | 10.0.0.010        | 10.0.0.010        | address ranges such as 10.0.0.0/8,fd00::/8",
                "traffic.sidecar.istio.io/includeOutboundIPRanges | 10.0.0.0/99       | 10.0.0.0/99       | address ranges such as 10.0.0.0/8,fd00::/8, or *",
                "traffic.sidecar.istio.io/includeOutboundIPRanges | 10.0.0.0/33       | 10.0.0.0/33       | address ranges such as 10.0.0.0/8,fd00::/8, or *",
                "traffic.sidecar.istio.io/includeOutboundIPRanges | 10.0.0.0/8,999.1.1.1 | 999.1.1.1      | address ranges such as 10.0.0.0/8,fd00::/8, or *",
                "traffic.sidecar.istio.io/includeOutboundIPRanges | 10.1/16           | 10.1/16           | address ranges such as 10.0.0.0/8,fd00::/8, or *",
                "traffic.sidecar.istio.io/includeOutboundIPRanges | example.com       | example.com       | address ranges such as 10.0.0.0/8,fd00::/8, or *",
            })
    void whatCaptureWouldRefuseIsRefused(String annotation, String value, String wrong, String must) {
        assertThat(annotated(annotation, value))
                .isEqualTo(new Decision.Refused(
                        "annotation " + annotation + " must be " + must + ", was '" + wrong + "'",
                        "mend it or remove it"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "traffic.sidecar.istio.io/includeInboundPorts    | *                     | CAPTURE_INBOUND_PORTS          | *",
                "traffic.sidecar.istio.io/includeInboundPorts    | 1, 65535              | CAPTURE_INBOUND_PORTS          | 1,65535",
                "traffic.sidecar.istio.io/includeOutboundPorts   | 80-80                 | CAPTURE_OUTBOUND_PORTS         | 80-80",
                "config.linkerd.io/skip-outbound-ports           | 25,4567-4568          | CAPTURE_EXCLUDE_OUTBOUND_PORTS | 25,4567-4568",
                "traffic.sidecar.istio.io/includeOutboundIPRanges | 0.0.0.0/0,::/0       | CAPTURE_OUTBOUND_CIDRS         | 0.0.0.0/0,::/0",
                "traffic.sidecar.istio.io/includeOutboundIPRanges | *                    | CAPTURE_OUTBOUND_CIDRS         | *",
                "traffic.sidecar.istio.io/excludeOutboundIPRanges | 10.1.2.3/8,10.0.0.1  | CAPTURE_EXCLUDE_OUTBOUND_CIDRS | 10.1.2.3/8,10.0.0.1",
                "config.linkerd.io/skip-subnets                  | ::ffff:10.0.0.1/128,FD00::1 | CAPTURE_EXCLUDE_OUTBOUND_CIDRS | ::ffff:10.0.0.1/128,FD00::1",
            })
    void whatCaptureTakesIsPassedOn(String annotation, String value, String variable, String told) {
        var pod = annotatedPod(annotation, value);

        var init = patched(pod, Namespace.optedIn("shop"))
                .at("spec", "initContainers")
                .items()
                .getFirst();

        assertThat(env(init, variable)).isEqualTo(told);
    }

    @ParameterizedTest
    @CsvSource({
        "1Gi, 1025Mi, false",
        "1Gi, 1023Mi, true",
        "1G, 1Gi, false",
        "1M, 999999, true",
        "1001m, 1, true",
        "1000m, 1.0, false",
        "1e3, 1k, false",
        "1E3, 1E, false",
        "1E, 1P, true",
        "1Ei, 1E, true",
        "1u, 999n, true",
        ".5, 499m, true",
        "+2., 2, false",
        "0, 1n, false",
        "3e-3, 2m, true",
    })
    void quantitiesAreComparedByWhatTheyMean(String one, String other, boolean more) {
        assertThat(Quantity.isMore(one, other)).isEqualTo(more);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1K", "1GB", "1 Gi", "m", ".", "1e", "1ee3", "1e100", "1mi", "0x10", "1,5"})
    void whatIsNoQuantityIsRefused(String text) {
        assertThat(Quantity.isOne(text)).isFalse();
    }

    @Test
    void whatANamespaceSaysToAnotherInjectorIsNamed() {
        var pod = Given.json("""
                {"spec": {"containers": [{"name": "app", "image": "a"}]}}""");
        var namespace = new Namespace(
                "shop",
                Map.of("istio-injection", "enabled", "config.linkerd.io/admission-webhooks", "disabled"),
                Map.of());

        assertThat(INJECTION.decide(pod, "web", namespace))
                .isInstanceOfSatisfying(
                        Decision.Injected.class,
                        injected -> assertThat(injected.warnings())
                                .containsExactly(
                                        "namespace shop's label config.linkerd.io/admission-webhooks=disabled is ignored:"
                                                + " a namespace declines by bodyguard.dev/inject=disabled"));
    }

    /// Its sidecar looks for the control plane by the name of a Service.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "ClusterFirst            | -",
                "ClusterFirstWithHostNet | -",
                "Default | dnsPolicy Default: unless the node's name servers know the cluster's Services, the sidecar finds no control plane and the app never starts; write ClusterFirst",
                "None    | dnsPolicy None: unless a name server and a search domain of its dnsConfig know the cluster's Services, the sidecar finds no control plane and the app never starts; write ClusterFirst",
            })
    void whoeverAsksOtherNameServersIsWarned(String policy, String warning) {
        var pod = Given.json("{\"spec\": {\"dnsPolicy\": \"" + policy
                + "\", \"containers\": [{\"name\": \"app\", \"image\": \"a\"}]}}");

        assertThat(INJECTION.decide(pod, "web", Namespace.optedIn("shop")))
                .isInstanceOfSatisfying(
                        Decision.Injected.class,
                        injected -> assertThat(injected.warnings())
                                .isEqualTo(warning == null ? List.of() : List.of(warning)));
    }

    private static Decision annotated(String name, String value) {
        return INJECTION.decide(annotatedPod(name, value), "web", Namespace.optedIn("shop"));
    }

    private static Tree annotatedPod(String name, String value) {
        return Tree.obj(
                "metadata", Tree.obj("annotations", Tree.obj(name, value)),
                "spec", Tree.obj("containers", Tree.arr(Tree.obj("name", "app", "image", "a"))));
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
        org.assertj.core.api.Assertions.assertThatIllegalArgumentException()
                .isThrownBy(() -> new Defaults("50m", "1Gi", "", "1000Mi", "1"))
                .withMessage("the sidecar's memory must be at most its limit, 1000Mi, was '1Gi'");
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
