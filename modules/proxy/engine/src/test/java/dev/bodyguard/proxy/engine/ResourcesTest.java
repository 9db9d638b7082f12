package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.endpoint;
import static dev.bodyguard.proxy.engine.Given.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ResourcesTest {
    private static final String TO_V1 = "routes { match { prefix: '/' } route { cluster: 'v1' } }";
    private static final String TO_V2 = "routes { match { prefix: '/' } route { cluster: 'v2' } }";

    private final Loads loads = new Loads();
    private final Resources resources = new Resources(loads);

    @Test
    void aHostWarmsUntilItsClustersAndTheirEndpointsAreAnswered() {
        Given.host(resources, "80/pay", TO_V1);
        assertThat(resources.plan().outbound("80/pay", get("/"))).isEqualTo(new Routing.NotYetKnown());
        assertThat(resources.wanted().clusters()).containsExactly("v1");
        assertThat(resources.warming()).containsExactly("80/pay");

        Given.cluster(resources, "v1", "");
        assertThat(resources.wanted().assignments()).containsExactly("v1");
        assertThat(resources.warming()).containsExactly("80/pay");

        Given.endpoints(resources, "v1", endpoint(1, ""));
        assertThat(resources.warming()).isEmpty();
        assertThat(cluster(resources.plan())).isEqualTo("v1");
    }

    @Test
    void aClusterWithoutAnybodyReadySaysWhatItHas() {
        known("v1", TO_V1);
        Given.endpoints(resources, "v1", endpoint(1, "health_status: UNHEALTHY"));
        assertThat(nobody()).startsWith("no endpoint of v1 is ready, of 1 that it has");

        Given.endpoints(resources, "v1");
        assertThat(nobody()).isEqualTo("v1 has no endpoint now; is a workload of it running and registered?");

        Given.cluster(
                resources,
                "v1",
                "metadata { filter_metadata { key: 'dev.bodyguard' value { fields { key: 'outsideSubset'"
                        + " value { string_value: '2' } } } } }");
        assertThat(nobody()).startsWith("v1 has no endpoint now: of the 2 that its service has none is of this subset");
    }

    private String nobody() {
        return new Refusal.NoHealthyEndpoint(v1(resources.plan()), null).sentence();
    }

    @Test
    void thePreviousVersionStaysInForceWhileTheNextOneWarms() {
        known("v1", TO_V1);

        Given.host(resources, "80/pay", TO_V2);
        resources.apply(Resources.ASSIGNMENT, Map.of(), List.of("v1"));
        resources.apply(Resources.CLUSTER, Map.of(), List.of("v1"));

        Plan plan = resources.plan();
        assertThat(cluster(plan)).isEqualTo("v1");
        assertThat(v1(plan).endpoints()).hasSize(1);

        Given.cluster(resources, "v2", "");
        Given.endpoints(resources, "v2", endpoint(2, ""));
        assertThat(cluster(resources.plan())).isEqualTo("v2");
        assertThat(resources.plan().cluster("v1")).isNull();
        assertThat(resources.wanted().clusters()).containsExactly("v2");
    }

    @Test
    void aWarmingHostCanBeForced() {
        known("v1", TO_V1);
        Given.host(resources, "80/pay", TO_V2);

        resources.force("80/pay");

        assertThat(cluster(resources.plan())).isEqualTo("v2");
        assertThat(resources.plan().cluster("v2")).isNull();
    }

    @Test
    void aClusterAnsweredAsAbsentKeepsNobodyWaiting() {
        Given.host(resources, "80/pay", TO_V1);

        resources.apply(Resources.CLUSTER, Map.of(), List.of("v1"));

        assertThat(cluster(resources.plan())).isEqualTo("v1");
        assertThat(resources.plan().cluster("v1")).isNull();
    }

    @Test
    void aRemovedHostIsUnknownAndFollowsTheListenersPolicy() {
        Given.listener(resources, "outbound", outbound("direct_response { status: 502 body { inline_string: 'no' } }"));
        known("v1", TO_V1);

        resources.apply(Resources.VIRTUAL_HOST, Map.of(), List.of("80/pay", "80/other"));

        var blocked = new Routing.Unknown(new Routing.Fallback.Block(502, "no"));
        assertThat(resources.plan().outbound("80/pay", get("/"))).isEqualTo(blocked);
        assertThat(resources.plan().outbound("80/other", get("/"))).isEqualTo(blocked);
        assertThat(resources.plan().outbound("80/third", get("/"))).isEqualTo(new Routing.NotYetKnown());
    }

    @Test
    void passesThroughWhereTheListenerSaysSo() {
        Given.listener(resources, "outbound", outbound("route { cluster: 'PassthroughCluster' }"));

        assertThat(resources.plan().fallback()).isEqualTo(new Routing.Fallback.PassThrough("PassthroughCluster"));
        assertThat(resources.wanted().clusters()).containsExactly("PassthroughCluster");
    }

    @Test
    void anInvalidResourceIsNamedAndTheLastGoodOneStays() {
        known("v1", TO_V1);

        var rejected = Given.host(
                resources, "80/pay", "routes { match { safe_regex { regex: '(' } } route { cluster: 'v2' } }");

        assertThat(rejected).hasSize(1);
        assertThat(rejected.getFirst().name()).isEqualTo("80/pay");
        assertThat(rejected.getFirst().reason()).startsWith("routes[0].match.safe_regex: must be an RE2 expression");
        assertThat(cluster(resources.plan())).isEqualTo("v1");
    }

    @Test
    void oneBadResourceDoesNotHoldUpTheOthersOfItsResponse() {
        var good = Given.parse(Cluster.newBuilder(), "name: 'good' type: STATIC");
        var bad = Given.parse(Cluster.newBuilder(), "name: 'bad' type: STATIC connect_timeout { seconds: -1 }");

        var rejected = resources.apply(Resources.CLUSTER, Map.of("good", good, "bad", bad), List.of());

        assertThat(rejected).extracting(Rejected::name).containsExactly("bad");
        assertThat(resources.plan().cluster("good")).isNotNull();
        assertThat(resources.plan().cluster("bad")).isNull();
    }

    @Test
    void aClusterThatDidNotChangeIsTheSameObjectInTheNextPlan() {
        known("v1", TO_V1);
        ClusterPlan before = v1(resources.plan());

        Given.host(resources, "80/other", TO_V1);

        assertThat(resources.plan().cluster("v1")).isSameAs(before);
    }

    @Test
    void loadsSurviveAChangeOfEndpoints() {
        known("v1", TO_V1);
        v1(resources.plan()).endpoints().getFirst().requestStarted();
        v1(resources.plan()).budget().requestStarted();

        Given.endpoints(resources, "v1", endpoint(1, ""), endpoint(2, ""));

        assertThat(v1(resources.plan()).endpoints())
                .extracting(Endpoint::active)
                .containsExactly(1, 0);
        assertThat(v1(resources.plan()).budget().active()).isOne();
    }

    @Test
    void loadsOfEndpointsThatLeftAreForgottenOnceTheyAreIdle() {
        known("v1", TO_V1);
        Endpoint first = v1(resources.plan()).endpoints().getFirst();
        first.requestStarted();

        for (int port = 2; port < 100; port++) {
            Given.endpoints(resources, "v1", endpoint(port, ""));
            resources.plan();
        }

        assertThat(loads.size()).isEqualTo(2);
        first.requestEnded();
        resources.plan();
        assertThat(loads.size()).isOne();
    }

    @Test
    void meshedEndpointsAreSpokenToByMtlsAndTheOthersPlainly() {
        Given.host(resources, "80/pay", TO_V1);
        Given.cluster(resources, "v1", """
            transport_socket_matches { name: 'mtls'
              match { fields { key: 'tlsMode' value { string_value: 'mtls' } } }
              transport_socket { name: 'tls' typed_config {
                [type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext] {
                  sni: 'pay' common_tls_context { alpn_protocols: 'h2'
                    tls_certificate_sds_secret_configs { name: 'default' }
                    combined_validation_context { default_validation_context { match_typed_subject_alt_names {
                      san_type: URI matcher { exact: 'spiffe://cluster.local/ns/default/sa/pay' } } } } } } } } }
            transport_socket_matches { name: 'plaintext' match {}
              transport_socket { name: 'envoy.transport_sockets.raw_buffer' } }
            """);
        Given.endpoints(resources, "v1", endpoint(1, """
            metadata {
              filter_metadata { key: 'envoy.transport_socket_match' value {
                fields { key: 'tlsMode' value { string_value: 'mtls' } } } }
              filter_metadata { key: 'dev.bodyguard' value {
                fields { key: 'version' value { string_value: 'v2' } } } } }
            """), endpoint(2, ""));

        var endpoints = v1(resources.plan()).endpoints();

        assertThat(endpoints.get(0).transport())
                .isEqualTo(
                        new Transport.Mtls(Set.of("spiffe://cluster.local/ns/default/sa/pay"), "pay", List.of("h2")));
        assertThat(endpoints.get(0).workload().version()).isEqualTo("v2");
        assertThat(endpoints.get(1).transport()).isEqualTo(new Transport.Plaintext(false));
    }

    @Test
    void readsBudgetAndHttp2() {
        Given.host(resources, "80/pay", TO_V1);
        Given.cluster(resources, "v1", """
            circuit_breakers { thresholds { retry_budget {
              budget_percent { value: 100 } min_retry_concurrency { value: 5 } } } }
            typed_extension_protocol_options { key: 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions' value {
              [type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions] {
                explicit_http_config { http2_protocol_options {} } } } }
            """);
        Given.endpoints(resources, "v1", endpoint(1, ""));
        ClusterPlan cluster = v1(resources.plan());

        for (int i = 0; i < 8; i++) {
            cluster.budget().requestStarted();
        }

        assertThat(cluster.budget().limit()).isEqualTo(8);
        assertThat(cluster.endpoints().getFirst().transport()).isEqualTo(new Transport.Plaintext(true));
    }

    @Test
    void unhealthyEndpointsAndLowerPrioritiesAreNotPicked() {
        Given.host(resources, "80/pay", TO_V1);
        Given.cluster(resources, "v1", "lb_policy: LEAST_REQUEST");
        Given.endpoints(resources, "v1", endpoint(1, "health_status: DRAINING"), endpoint(2, ""));
        ClusterPlan cluster = v1(resources.plan());

        assertThat(cluster.endpoints()).hasSize(2);
        assertThat(cluster.pick(List.of(), new Random(1), 0))
                .isSameAs(cluster.endpoints().get(1));
    }

    @Test
    void noDecoderThrowsWhateverItIsGiven() {
        var random = new Random(42);
        var seeds = List.of(
                Given.parse(
                        Cluster.newBuilder(),
                        "name: 'x' type: EDS connect_timeout { seconds: 1 } lb_policy: RING_HASH"),
                Given.parse(
                        io.envoyproxy.envoy.config.route.v3.VirtualHost.newBuilder(),
                        "name: 'x' domains: '*' " + TO_V1
                                + " routes { match { safe_regex { regex: 'a+' } } redirect { host_redirect: 'x' } }"),
                Given.parse(
                        io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment.newBuilder(),
                        "cluster_name: 'x' endpoints { " + endpoint(1, "load_balancing_weight { value: 3 }") + " }"),
                Given.parse(
                        io.envoyproxy.envoy.config.listener.v3.Listener.newBuilder(),
                        "name: 'outbound' " + outbound("route { cluster: 'PassthroughCluster' }")));
        for (int round = 0; round < 5_000; round++) {
            Any seed = seeds.get(random.nextInt(seeds.size()));
            byte[] bytes = seed.getValue().toByteArray();
            for (int i = random.nextInt(4); i >= 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            Any mutated = seed.toBuilder().setValue(ByteString.copyFrom(bytes)).build();

            assertThatCode(() -> {
                        resources.apply(seed.getTypeUrl(), Map.of("outbound", mutated), List.of());
                        resources.apply(seed.getTypeUrl(), Map.of("x", mutated), List.of());
                        resources.plan();
                        resources.wanted();
                    })
                    .describedAs("seed 42, round %s", round)
                    .doesNotThrowAnyException();
        }
    }

    private static ClusterPlan v1(Plan plan) {
        return Objects.requireNonNull(plan.cluster("v1"));
    }

    private void known(String cluster, String host) {
        Given.host(resources, "80/pay", host);
        Given.cluster(resources, cluster, "");
        Given.endpoints(resources, cluster, endpoint(1, ""));
    }

    private static String outbound(String action) {
        return """
            default_filter_chain { filters { name: 'hcm' typed_config {
              [type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager] {
                route_config { name: 'outbound' virtual_hosts { name: 'any' domains: '*'
                  routes { match { prefix: '/' } %s } } }
                http_filters { name: 'new' is_optional: true typed_config {
                  [type.googleapis.com/envoy.extensions.filters.http.router.v3.Router] {} } } } } } }
            """.formatted(action);
    }

    private static String cluster(Plan plan) {
        var rule = ((Routing.Routed) plan.outbound("80/pay", get("/"))).rule();
        return ((RouteRule.Forward) rule.action()).split().shares().getFirst().cluster();
    }
}
