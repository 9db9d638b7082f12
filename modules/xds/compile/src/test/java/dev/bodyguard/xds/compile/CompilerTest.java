package dev.bodyguard.xds.compile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.TextFormat;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.model.Locality;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PeerAuthentication;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.Workload;
import dev.bodyguard.source.files.Yaml;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.DiscoveryType;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CompilerTest {
    private static final Path CASES = Path.of("src/test/cases");
    private static final Map<String, Kind> KINDS = Map.of(
            "sidecar", new Kind.Sidecar(),
            "envoy", new Kind.Envoy("checkout-1", "127.0.0.1", 15001, "/run/checkout", Locality.UNKNOWN),
            "grpc", new Kind.Grpc(),
            "sidecar in eu-1/a/1", new Kind.Sidecar(Locality.of("eu-1/a/1")),
            "sidecar in us-1", new Kind.Sidecar(Locality.of("us-1")),
            "envoy in eu-1/a/1",
                    new Kind.Envoy("checkout-1", "127.0.0.1", 15001, "/run/checkout", Locality.of("eu-1/a/1")),
            "grpc in eu-1/a/1", new Kind.Grpc(Locality.of("eu-1/a/1")));
    private static final TextFormat.Printer PRINTER = TextFormat.printer()
            .usingTypeRegistry(TypeRegistry.newBuilder()
                    .add(List.of(
                            HttpConnectionManager.getDescriptor(),
                            HTTPFault.getDescriptor(),
                            Router.getDescriptor(),
                            TcpProxy.getDescriptor(),
                            RBAC.getDescriptor(),
                            LocalRateLimit.getDescriptor(),
                            DownstreamTlsContext.getDescriptor(),
                            UpstreamTlsContext.getDescriptor(),
                            HttpProtocolOptions.getDescriptor()))
                    .build());

    static List<String> cases() throws IOException {
        try (Stream<Path> folders = Files.list(CASES)) {
            return folders.map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void compiles(String name) throws IOException {
        var folder = CASES.resolve(name);
        var compiler = compiler(Files.readString(folder.resolve("given.yaml")));

        var text = new StringBuilder();
        var client = checkout("sidecar");
        for (var question : Files.readAllLines(folder.resolve("ask.txt"))) {
            text.append("# ").append(question).append('\n');
            if (question.startsWith("as ")) {
                client = checkout(question.substring("as ".length()));
                text.append("listeners: ").append(compiler.listeners(client)).append('\n');
                text.append("clusters: ").append(compiler.clusters(client)).append('\n');
                continue;
            }
            var answer = ask(compiler, client, question);
            assertThat(ask(compiler, client, question)).isEqualTo(answer);
            text.append(answer.<String>map(PRINTER::printToString).orElse("nothing\n"));
        }

        var expected = folder.resolve("expected.txt");
        if ("write".equals(System.getProperty("golden"))) {
            Files.writeString(expected, text);
        }
        assertThat(text.toString()).isEqualTo(Files.readString(expected));
    }

    @Test
    void knowsWhereAClientRunsByItsNodeOrElseByItsLabels() {
        var labels = Map.of("topology.kubernetes.io/region", "eu-1", "topology.kubernetes.io/zone", "eu-1a");
        var node = Node.newBuilder()
                .setMetadata(Struct.newBuilder()
                        .putFields(
                                "LABELS",
                                Value.newBuilder()
                                        .setStructValue(metadata(labels))
                                        .build()));
        assertThat(Kind.of(node.build()).where()).isEqualTo(new Locality("eu-1", "eu-1a", ""));
        assertThat(Kind.of(node.setUserAgentName("gRPC Go").build()).where())
                .isEqualTo(new Locality("eu-1", "eu-1a", ""));

        node.getLocalityBuilder().setRegion("us-1").setZone("b").setSubZone("c");
        assertThat(Kind.of(node.build()).where()).isEqualTo(new Locality("us-1", "b", "c"));
        assertThat(Kind.of(Node.getDefaultInstance()).where()).isEqualTo(Locality.UNKNOWN);
    }

    @Test
    void saysWhatIsWrongInANode() {
        var node = Node.newBuilder()
                .setId("sidecar~127.0.0.1~a.b~b.svc.cluster.local")
                .build();

        assertThatThrownBy(() -> Proxy.of(node)).hasMessageContaining("NAMESPACE is missing");
    }

    @Test
    void knowsClientsByTheirGeneratorOrElseTheirUserAgent() {
        assertThat(Kind.of(Node.getDefaultInstance())).isEqualTo(new Kind.Sidecar());
        assertThat(Kind.of(Node.newBuilder().setUserAgentName("gRPC Go").build()))
                .isEqualTo(new Kind.Grpc());
        var envoy = Node.newBuilder()
                .setUserAgentName("envoy")
                .setMetadata(metadata(Map.of(
                        "NAME", "checkout-1", "OUTBOUND_ADDRESS", "127.0.0.1:15001", "SECRETS", "/run/checkout/")));
        assertThat(Kind.of(envoy.build())).isEqualTo(KINDS.get("envoy"));
        assertThat(Kind.of(envoy.setMetadata(metadata(Map.of("GENERATOR", "bodyguard")))
                        .build()))
                .isEqualTo(new Kind.Sidecar());
    }

    @Test
    void anEnvoyMustSayWhereToListen() {
        var node = Node.newBuilder()
                .setId("e")
                .setMetadata(metadata(Map.of("GENERATOR", "envoy", "OUTBOUND_ADDRESS", "localhost")));

        assertThatThrownBy(() -> Kind.of(node.build()))
                .hasMessageContaining("as OUTBOUND_ADDRESS, such as 127.0.0.1:15001; it was 'localhost'");
    }

    private static Struct metadata(Map<String, String> fields) {
        var struct = Struct.newBuilder();
        fields.forEach((key, value) ->
                struct.putFields(key, Value.newBuilder().setStringValue(value).build()));
        return struct.build();
    }

    @Test
    void listsTheServiceAccountsOfExactlyTheSubset() throws InvalidProtocolBufferException {
        var cluster = compiler("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: d}
            spec: {host: payment-service, subsets: [{name: none, labels: {version: v7}}]}
            """)
                .cluster(new Kind.Sidecar(), "outbound|80|none|payment-service.default.svc.cluster.local")
                .orElseThrow();

        Any tls = cluster.getTransportSocketMatches(0).getTransportSocket().getTypedConfig();
        assertThat(tls.unpack(UpstreamTlsContext.class)
                        .getCommonTlsContext()
                        .getCombinedValidationContext()
                        .getDefaultValidationContext()
                        .getMatchTypedSubjectAltNamesList())
                .as("somebody, so that no client accepts everybody")
                .hasSize(1);
    }

    @Test
    void aNameThatDocumentsSpeakOfHasAClusterThoughNobodyHasRegisteredForIt() {
        var compiler = compiler("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: ledger}
            spec: {hosts: [ledger], http: [{route: [{destination: {host: ledger, subset: v1}}]}]}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: ledger}
            spec: {host: ledger, subsets: [{name: v1, labels: {version: v1}}]}
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: archive}
            """);

        for (var name : List.of("v1|ledger", "|ledger", "|archive")) {
            var cluster = "outbound|80|" + name + ".default.svc.cluster.local";
            assertThat(compiler.cluster(new Kind.Sidecar(), cluster))
                    .hasValueSatisfying(one -> assertThat(one.getType()).isEqualTo(DiscoveryType.EDS));
            assertThat(compiler.endpoints(new Kind.Sidecar(), cluster))
                    .hasValueSatisfying(
                            one -> assertThat(one.getEndpointsList()).isEmpty());
        }
        for (var name : List.of("v2|ledger", "|legder", "|ledger.default", "|.")) {
            assertThat(compiler.cluster(new Kind.Sidecar(), "outbound|80|" + name + ".default.svc.cluster.local"))
                    .isEmpty();
        }
    }

    @Test
    void aSubsetWithoutAnybodySaysHowManyAreOutsideOfIt() {
        var compiler = compiler("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: d}
            spec: {host: payment-service, subsets: [{name: v2, labels: {version: v2}}, {name: v7, labels: {version: v7}}]}
            """);

        assertThat(outside(compiler, new Kind.Sidecar(), "v7")).isEqualTo("3");
        assertThat(outside(compiler, new Kind.Sidecar(), "v2")).isEmpty();
        assertThat(outside(compiler, new Kind.Grpc(), "v7")).isEmpty();
    }

    private static String outside(Compiler compiler, Kind kind, String subset) {
        return compiler.cluster(kind, "outbound|80|" + subset + "|payment-service.default.svc.cluster.local")
                .orElseThrow()
                .getMetadata()
                .getFilterMetadataOrThrow("dev.bodyguard")
                .getFieldsOrDefault("outsideSubset", Value.getDefaultInstance())
                .getStringValue();
    }

    @Test
    void whoComesWithoutTlsHasAChainOnEveryPortWhereThatIsPermitted() {
        var permissive = new Compiler(
                Mesh.of(List.of()),
                new Settings("cluster.local", OutboundPolicy.Mode.ALLOW_ANY, PeerAuthentication.Mode.PERMISSIVE));

        var chains = permissive
                .listener(checkout("sidecar"), "inbound")
                .orElseThrow()
                .getFilterChainsList();

        assertThat(chains)
                .extracting(
                        chain -> chain.getFilterChainMatch().getTransportProtocol(), FilterChain::hasTransportSocket)
                .containsExactly(tuple("", true), tuple("tls", true), tuple("", false), tuple("raw_buffer", false));
        assertThat(chains.get(3).getFiltersList()).isEqualTo(chains.get(1).getFiltersList());
        assertThat(compiler("")
                        .listener(checkout("sidecar"), "inbound")
                        .orElseThrow()
                        .getFilterChainsList())
                .allMatch(FilterChain::hasTransportSocket);
    }

    private static Proxy checkout(String kind) {
        return new Proxy(
                Objects.requireNonNull(KINDS.get(kind), kind),
                "default",
                "checkout",
                "checkout",
                Map.of("app", "checkout", "version", "v1"),
                List.of(8080),
                false);
    }

    @Test
    void whereEverythingComesInEveryPortHasAChainAndThoseThatDocumentsSpeakOfTheirOwn() {
        var node = Node.newBuilder()
                .setId("sidecar")
                .setMetadata(metadata(Map.of(
                        "NAMESPACE",
                        "default",
                        "SERVICE",
                        "checkout",
                        "APP_PORTS",
                        "8080",
                        "INTERCEPTION_MODE",
                        "REDIRECT")));
        var chains = compiler("""
            apiVersion: v1
            kind: Service
            metadata: {name: checkout}
            spec: {selector: {app: checkout}, ports: [{port: 80, targetPort: 9090}]}
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: checkout}
            spec:
              selector: {matchLabels: {app: checkout}}
              mtls: {mode: DISABLE}
              portLevelMtls: {9091: {mode: STRICT}}
            """)
                .listener(Proxy.of(node.build()), "inbound")
                .orElseThrow()
                .getFilterChainsList();

        assertThat(chains)
                .extracting(FilterChain::getName, FilterChain::hasTransportSocket)
                .containsExactly(
                        tuple("inbound|80|||tcp|plaintext", false),
                        tuple("inbound|80|||plaintext", false),
                        tuple("inbound|8080|||tcp|plaintext", false),
                        tuple("inbound|8080|||plaintext", false),
                        tuple("inbound|9090|||tcp|plaintext", false),
                        tuple("inbound|9090|||plaintext", false),
                        tuple("inbound|9091|||tcp", true),
                        tuple("inbound|9091||", true),
                        tuple("InboundPassthroughCluster|tcp|plaintext", false),
                        tuple("InboundPassthroughCluster|plaintext", false));
        assertThat(chains.getLast().getFilterChainMatch().hasDestinationPort()).isFalse();
        assertThat(compiler("").cluster(new Kind.Sidecar(), "InboundPassthroughCluster"))
                .hasValueSatisfying(cluster -> assertThat(cluster.getType()).isEqualTo(DiscoveryType.ORIGINAL_DST));
    }

    @Test
    void whatAPortMeansToTheWorldIsSaidByItsOwnChains() throws InvalidProtocolBufferException {
        var compiler = compiler("""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: checkout}
            spec:
              ingress:
                - port: {number: 443, protocol: HTTPS}
                  defaultEndpoint: 127.0.0.1:8080
                  tls: {mode: MUTUAL, credentialName: checkout-tls}
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default}
            spec: {mtls: {mode: PERMISSIVE}}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: closed}
            spec: {action: DENY, rules: [{to: [{operation: {ports: ["8080"], methods: [DELETE]}}]}]}
            """);
        var node = Node.newBuilder()
                .setMetadata(metadata(Map.of(
                        "NAMESPACE",
                        "default",
                        "SERVICE",
                        "checkout",
                        "APP_PORTS",
                        "8080",
                        "INTERCEPTION_MODE",
                        "TPROXY")));

        var chains = compiler.listener(Proxy.of(node.build()), "inbound")
                .orElseThrow()
                .getFilterChainsList();

        assertThat(chains)
                .extracting(FilterChain::getName)
                .containsExactly(
                        "inbound|80||",
                        "inbound|80|||plaintext",
                        "inbound|443||",
                        "inbound|443|||https",
                        "inbound|8080||",
                        "inbound|8080|||plaintext",
                        "InboundPassthroughCluster",
                        "InboundPassthroughCluster|plaintext");
        var tls = chains.get(3).getTransportSocket().getTypedConfig().unpack(DownstreamTlsContext.class);
        assertThat(tls.getCommonTlsContext()
                        .getTlsCertificateSdsSecretConfigs(0)
                        .getName())
                .isEqualTo("kubernetes://checkout-tls");
        assertThat(tls.getCommonTlsContext()
                        .getValidationContextSdsSecretConfig()
                        .getName())
                .isEqualTo("kubernetes://checkout-tls-cacert");
        assertThat(PRINTER.printToString(chains.get(3)))
                .as("what is denied on the port that is meant is denied by whatever port it is called")
                .contains("cluster: \"inbound|8080||\"", "destination_port: 8080", "destination_port: 443");
    }

    /// What the world calls on port 80 is what a Service has behind its own 80, else the first port of a container.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                9090 8080 | 80 | 8080
                9090 8080 | 81 | 9090
                9090      | 80 | 8080
                """)
    void port80LeadsBehindTheServiceElseToTheFirstPortOfAContainer(String declared, int ofService, int appPort) {
        var node = Node.newBuilder()
                .setMetadata(metadata(Map.of(
                        "NAMESPACE",
                        "default",
                        "SERVICE",
                        "checkout",
                        "APP_PORTS",
                        declared.replace(' ', ','),
                        "INTERCEPTION_MODE",
                        "REDIRECT")));

        var chains = compiler("""
            apiVersion: v1
            kind: Service
            metadata: {name: checkout}
            spec: {selector: {app: checkout}, ports: [{port: %d, targetPort: 8080, name: http}]}
            """.formatted(ofService))
                .listener(Proxy.of(node.build()), "inbound")
                .orElseThrow()
                .getFilterChainsList();

        assertThat(chains)
                .filteredOn(chain -> chain.getName().equals("inbound|80||"))
                .singleElement()
                .satisfies(chain ->
                        assertThat(PRINTER.printToString(chain)).contains("cluster: \"inbound|" + appPort + "||\""));
    }

    @ParameterizedTest
    @CsvSource({"http, istio-h2 h2", "grpc, istio-h2 h2", "tls, istio-h2", "tcp, istio-h2", "'', istio-h2"})
    void whereAnAppIsSaidToSpeakPlainHttpWhoeverOffersHttp2InTlsMeansTheSidecar(String name, String announced) {
        var chains = compiler("""
            apiVersion: v1
            kind: Service
            metadata: {name: checkout}
            spec: {selector: {app: checkout}, ports: [{port: 80, targetPort: 8080, name: "%s"}]}
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default}
            spec: {mtls: {mode: PERMISSIVE}}
            """.formatted(name))
                .listener(checkout("sidecar"), "inbound")
                .orElseThrow()
                .getFilterChainsList();

        assertThat(chains)
                .filteredOn(chain -> chain.getName().equals("inbound|8080||"))
                .singleElement()
                .satisfies(chain -> assertThat(chain.getFilterChainMatch().getApplicationProtocolsList())
                        .containsExactly(announced.split(" ", -1)));
    }

    /// Whichever language leads there, a DestinationRule says how one gets there: pool, outliers, balancing, budget,
    /// TLS.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                VirtualService | {kind: VirtualService, apiVersion: networking.istio.io/v1, spec: {hosts: [payment-service], http: [{route: [{destination: {host: pay-v2}}]}]}}
                HTTPRoute      | {kind: HTTPRoute, apiVersion: gateway.networking.k8s.io/v1, spec: {parentRefs: [{group: "", kind: Service, name: payment-service}], rules: [{backendRefs: [{name: pay-v2, port: 80}]}]}}
                GRPCRoute      | {kind: GRPCRoute, apiVersion: gateway.networking.k8s.io/v1, spec: {parentRefs: [{group: "", kind: Service, name: payment-service}], rules: [{backendRefs: [{name: pay-v2, port: 80}]}]}}
                ServiceProfile | {kind: ServiceProfile, apiVersion: linkerd.io/v1alpha2, spec: {dstOverrides: [{authority: "pay-v2.default.svc.cluster.local:80", weight: 1}]}}
                TrafficSplit   | {kind: TrafficSplit, apiVersion: split.smi-spec.io/v1alpha2, spec: {service: payment-service, backends: [{service: pay-v2, weight: 1}]}}
                """)
    void backendPolicyHoldsWhicheverLanguageLeadsThere(String language, String document) {
        var name = language.equals("ServiceProfile") ? "payment-service.default.svc.cluster.local" : "pay";
        var compiler = compiler("""
            kind: Service
            apiVersion: v1
            metadata: {name: payment-service}
            spec: {ports: [{port: 80}], selector: {app: payment-service}}
            ---
            kind: Service
            apiVersion: v1
            metadata: {name: pay-v2}
            spec: {ports: [{port: 80}], selector: {app: payment-service, version: v2}}
            ---
            kind: DestinationRule
            apiVersion: networking.istio.io/v1
            metadata: {name: pay-v2}
            spec:
              host: pay-v2
              trafficPolicy:
                loadBalancer: {simple: ROUND_ROBIN}
                connectionPool:
                  tcp: {connectTimeout: 7s, maxConnections: 9}
                  http: {http1MaxPendingRequests: 4, http2MaxRequests: 5}
                outlierDetection:
                  consecutive5xxErrors: 6
                  consecutiveGatewayErrors: 3
                  splitExternalLocalOriginErrors: true
                  consecutiveLocalOriginFailures: 2
                  interval: 1s
                  baseEjectionTime: 8s
                  maxEjectionPercent: 60
                  minHealthPercent: 40
                retryBudget: {percent: 12.5, minRetryConcurrency: 2}
            ---
            """ + document.replaceFirst("spec:", "metadata: {name: " + name + "}, spec:"));

        for (var kind : List.of("sidecar", "envoy", "grpc")) {
            var client = checkout(kind);
            var host = compiler.virtualHost(client, "80/payment-service").orElseThrow();
            assertThat(host.getRoutesList()).isNotEmpty().allSatisfy(route -> {
                assertThat(route.toString()).contains(language + " default/" + name);
                assertThat(route.getRoute().getCluster()).isEqualTo("outbound|80||pay-v2.default.svc.cluster.local");
            });
            var cluster = compiler.cluster(
                            client.kind(), host.getRoutes(0).getRoute().getCluster())
                    .orElseThrow();
            assertThat(cluster.getConnectTimeout().getSeconds()).isEqualTo(7);
            assertThat(cluster.getLbPolicy().name()).isEqualTo("ROUND_ROBIN");
            var limits = cluster.getCircuitBreakers().getThresholds(0);
            assertThat(limits.getMaxConnections().getValue()).isEqualTo(9);
            assertThat(limits.getMaxPendingRequests().getValue()).isEqualTo(4);
            assertThat(limits.getMaxRequests().getValue()).isEqualTo(5);
            assertThat(limits.getRetryBudget().getBudgetPercent().getValue()).isEqualTo(12.5);
            assertThat(cluster.getOutlierDetection())
                    .isEqualTo(OutlierDetection.newBuilder()
                            .setConsecutive5Xx(UInt32Value.of(6))
                            .setEnforcingConsecutive5Xx(UInt32Value.of(100))
                            .setConsecutiveGatewayFailure(UInt32Value.of(3))
                            .setEnforcingConsecutiveGatewayFailure(UInt32Value.of(100))
                            .setSplitExternalLocalOriginErrors(true)
                            .setConsecutiveLocalOriginFailure(UInt32Value.of(2))
                            .setInterval(Duration.newBuilder().setSeconds(1))
                            .setBaseEjectionTime(Duration.newBuilder().setSeconds(8))
                            .setMaxEjectionPercent(UInt32Value.of(60))
                            .setEnforcingSuccessRate(UInt32Value.of(0))
                            .setEnforcingLocalOriginSuccessRate(UInt32Value.of(0))
                            .build());
            assertThat(cluster.getCommonLbConfig().getHealthyPanicThreshold().getValue())
                    .isEqualTo(40);
        }
    }

    private static Optional<? extends Message> ask(Resources resources, Proxy client, String question) {
        var words = question.split(" ", 2);
        return switch (words[0]) {
            case "listener" -> resources.listener(client, words[1]);
            case "routes" -> resources.routes(client, words[1]);
            case "host" -> resources.virtualHost(client, words[1]);
            case "cluster" -> resources.cluster(client.kind(), words[1]);
            case "endpoints" -> resources.endpoints(client.kind(), words[1]);
            default -> throw new IllegalArgumentException(question);
        };
    }

    private static Compiler compiler(String yaml) {
        List<Part> parts = new ArrayList<>(List.of(
                workload("checkout", "v1", "1", 21000),
                workload("payment-service", "v1", "1", 21001),
                workload("payment-service", "v2", "2", 21002),
                workload("payment-service", "v2", "3", 21003)));
        var parsed = Yaml.parse("given.yaml", yaml);
        assertThat(parsed.problems()).isEmpty();
        for (var document : parsed.documents()) {
            var translation = Dialects.all().translate(document);
            assertThat(translation.problems()).noneMatch(one -> one.severity() == Problem.Severity.ERROR);
            parts.addAll(translation.parts());
        }
        return new Compiler(Mesh.of(parts), Settings.USUAL);
    }

    private static Workload workload(String service, String version, String instance, int dialled) {
        return Workload.registered(
                "default",
                service + "-" + instance,
                service,
                service,
                Map.of("version", version),
                "127.0.0.1",
                Map.of(8080, dialled),
                true);
    }
}
