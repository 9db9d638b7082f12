package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.source.files.Yaml;
import dev.bodyguard.xds.compile.Compiler;
import dev.bodyguard.xds.compile.Proxy;
import dev.bodyguard.xds.compile.Settings;
import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// From a policy's YAML to what its workloads' sidecars are told, where it is wrong from the beginning.
class NotUnderstoodTest {
    private static final String BROKEN = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: pay}
        spec:
          selector: {matchLabels: {app: pay}}
          rules: [{from: {source: checkout}}]
        """;
    private static final String MENDED = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: pay}
        spec:
          selector: {matchLabels: {app: pay}}
          rules: [{from: [{source: {serviceAccounts: [checkout]}}]}]
        """;
    private static final String NOBODY =
            "DENY everything by AuthorizationPolicy default/pay (not understood) (a.yaml:1:1)";

    private final Diary diary = new Diary();
    private final Documents documents = new Documents(Dialects.all(), diary);
    private Mesh mesh = Mesh.of(List.of());

    @Test
    void aPolicyThatNobodyUnderstoodYetLetsNobodyInToTheWorkloadsThatItIsAbout() throws Exception {
        put(BROKEN);

        assertThat(told("pay")).containsExactly(NOBODY);
        assertThat(told("refund")).isEmpty();
    }

    @Test
    void isToldWithWhatIsWrongAndWithWhatFollows() {
        put(BROKEN);

        var wrong = "a.yaml:6:18: AuthorizationPolicy default/pay: spec.rules[0].from: must be a list, was a mapping";
        assertThat(diary.read()).containsExactly("refused, CLOSED: " + wrong);
        assertThat(documents.problems())
                .extracting(Object::toString)
                .containsExactly(
                        wrong,
                        "a.yaml:1:1: AuthorizationPolicy default/pay: is not understood; until it is corrected, the"
                                + " workloads that it is about refuse every request");
    }

    @Test
    void oneThatIsAboutPeersLetsInMutualTlsOnly() {
        put("""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: pay}
            spec: {mtls: {mode: STRIKT}}
            """);

        assertThat(diary.read()).singleElement().asString().startsWith("refused, STRICT: a.yaml:4:21: ");
        assertThat(documents.problems())
                .last()
                .hasToString("a.yaml:1:1: PeerAuthentication default/pay: is not understood; until it is corrected, the"
                        + " workloads that it is about take mutual TLS only");
    }

    @Test
    void onceMendedItIsInForceAndStaysSoWhenItIsBrokenAgain() throws Exception {
        put(BROKEN);
        put(MENDED);
        var allowed = "ALLOW some by AuthorizationPolicy default/pay spec.rules[0] (a.yaml:6:11)";
        assertThat(told("pay")).containsExactly(allowed);
        assertThat(documents.problems()).isEmpty();

        put(BROKEN);

        assertThat(told("pay")).containsExactly(allowed);
        assertThat(documents.problems()).hasSize(1);
    }

    @Test
    void onceRemovedItKeepsNobodyOut() throws Exception {
        put(BROKEN);

        documents.take(Map.of(), List.of("security.istio.io/AuthorizationPolicy/default/pay"));
        mesh = documents.settle(List.of(), new Names(), 1);

        assertThat(told("pay")).isEmpty();
        assertThat(documents.problems()).isEmpty();
    }

    @Test
    void inTheRootNamespaceItIsAboutEverybody() throws Exception {
        put(BROKEN.replace("{name: pay}", "{name: pay, namespace: bodyguard-system}")
                .replace("selector: {matchLabels: {app: pay}}", "selector: everybody"));

        assertThat(told("pay")).hasSize(1).isEqualTo(told("refund"));
    }

    @Test
    void aLimitThatIsNotUnderstoodLimitsNothing() throws Exception {
        put("""
            apiVersion: bodyguard.dev/v1alpha1
            kind: RateLimit
            metadata: {name: pay}
            spec: {rules: [{requests: many, per: second}]}
            """);

        assertThat(told("pay")).isEmpty();
        assertThat(diary.read()).singleElement().asString().startsWith("refused, NOTHING: ");
    }

    private void put(String yaml) {
        var parsed = Yaml.parse("a.yaml", yaml);
        assertThat(parsed.problems()).isEmpty();
        for (var document : parsed.documents()) {
            documents.take(Map.of(document.key(), document), List.of());
        }
        mesh = documents.settle(List.of(), new Names(), 1);
    }

    /// The rules in the inbound listener of a service's sidecar.
    private List<String> told(String service) throws InvalidProtocolBufferException {
        var compiler = new Compiler(mesh, Settings.USUAL);
        var listener = new Generation(1, compiler, diary)
                .view(sidecar(service))
                .find(TypeUrls.LISTENER, "inbound")
                .orElseThrow()
                .body()
                .unpack(Listener.class);
        var rules = new ArrayList<String>();
        for (var chain : listener.getFilterChainsList()) {
            for (var filter : chain.getFiltersList()) {
                if (!filter.getTypedConfig().is(HttpConnectionManager.class)) {
                    continue;
                }
                for (var http : filter.getTypedConfig()
                        .unpack(HttpConnectionManager.class)
                        .getHttpFiltersList()) {
                    if (http.getTypedConfig().is(RBAC.class)) {
                        var rbac = http.getTypedConfig().unpack(RBAC.class).getRules();
                        rbac.getPoliciesMap().forEach((name, policy) -> {
                            boolean everything = policy.getPermissions(0).getAny()
                                    && policy.getPrincipals(0).getAny();
                            rules.add(rbac.getAction() + (everything ? " everything by " : " some by ") + name);
                        });
                    }
                }
            }
        }
        return rules;
    }

    private static Proxy sidecar(String service) {
        return Proxy.of(Node.newBuilder()
                .setMetadata(Struct.newBuilder()
                        .putFields("GENERATOR", text("bodyguard"))
                        .putFields("NAMESPACE", text("default"))
                        .putFields("SERVICE", text(service))
                        .putFields("SERVICE_ACCOUNT", text(service))
                        .putFields("APP_PORTS", text("8080")))
                .build());
    }

    private static Value text(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }
}
