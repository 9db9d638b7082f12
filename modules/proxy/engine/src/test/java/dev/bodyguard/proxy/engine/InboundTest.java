package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.get;
import static dev.bodyguard.proxy.engine.Given.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

class InboundTest {
    private static final String CHECKOUT = "spiffe://cluster.local/ns/default/sa/checkout";

    private final Resources resources = new Resources(new Loads());

    @Test
    void aPortAsksForMeshIdentityAndLeadsToTheApplication() {
        assertThat(Given.listener(resources, "inbound", chain(true, ""))).isEmpty();

        InboundRule rule = rule();

        assertThat(rule.security())
                .isEqualTo(new InboundRule.Security(true, false, "spiffe://cluster.local/", Set.of()));
        assertThat(rule.route(get("/"))).isInstanceOf(Routing.Routed.class);
        assertThat(rule.authorize(CHECKOUT, get("/"))).isEqualTo(new Verdict.Allowed(""));
        assertThat(resources.wanted().clusters()).containsExactly("inbound|8080||");
        assertThat(resources.plan().inbound(9090)).isNull();
    }

    @Test
    void plaintextBesideTlsIsOnePermissivePort() {
        Given.listener(resources, "inbound", chain(true, "") + chain(false, ""));

        assertThat(rule().security())
                .isEqualTo(new InboundRule.Security(true, true, "spiffe://cluster.local/", Set.of()));
    }

    @Test
    void bytesOfNobodyInParticularHaveAPlaceWhereAChainWithoutTlsIsForThem() {
        Given.listener(resources, "inbound", chain(false, "") + bytes(""));

        assertThat(rule().security()).isEqualTo(new InboundRule.Security(false, true, "", Set.of()));
        assertThat(rule().opaque(null)).isEqualTo("inbound|8080||");
        assertThat(rule().opaque(CHECKOUT)).isNull();
    }

    @Test
    void aChainWithoutAPortIsAboutEveryOther() {
        Given.listener(
                resources,
                "inbound",
                chain(true, "") + chain(false, rbac("DENY", """
                            policies { key: 'no' value {
                              principals { any: true } permissions { destination_port: 9090 } } }
                            """)).replace("destination_port { value: 8080 }", ""));

        assertThat(rule().security().plaintext()).isFalse();
        assertThat(resources.plan().inboundPorts()).containsExactly(8080);
        var other = Objects.requireNonNull(resources.plan().inbound(9090));
        assertThat(other.port()).isEqualTo(9090);
        assertThat(other.security().plaintext()).isTrue();
        assertThat(other.authorize(null, get("/"))).isEqualTo(new Verdict.Denied("no"));
        assertThat(Objects.requireNonNull(resources.plan().inbound(9091)).authorize(null, get("/")))
                .isInstanceOf(Verdict.Allowed.class);
    }

    private static final String OWN_TLS = """
        transport_socket { name: 'tls' typed_config {
          [type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext] {
            common_tls_context { tls_certificate_sds_secret_configs { name: 'kubernetes://pay' } } } } }
        """;

    @Test
    void tlsOfTheApplicationsOwnEndsHereBesideThatOfPeers() {
        var own = chain(false, "").replaceFirst(" filters \\{", OWN_TLS + " filters {");
        assertThat(Given.listener(resources, "inbound", chain(true, "") + own)).isEmpty();

        assertThat(rule().security())
                .isEqualTo(new InboundRule.Security(true, false, "spiffe://cluster.local/", Set.of()));
        assertThat(rule().ending())
                .isEqualTo(new InboundRule.Ending(new InboundRule.Certificate("kubernetes://pay", null), true));
        assertThat(rule().letsIn(null)).isTrue();
        assertThat(resources.plan().certificates())
                .containsExactly(new InboundRule.Certificate("kubernetes://pay", null));
    }

    @Test
    void bytesWithoutTlsAreNotAnnounced() {
        var rejected = Given.listener(resources, "inbound", chain(false, "") + bytes("application_protocols: 'istio'"));

        assertThat(rejected.getFirst().reason())
                .contains(
                        "filter_chains[1].filter_chain_match.application_protocols: must have istio where there is a");
    }

    private static String bytes(String match) {
        return """
            filter_chains { filter_chain_match { destination_port { value: 8080 } %s }
              filters { name: 'tcp' typed_config {
                [type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy] {
                  stat_prefix: 'tcp' cluster: 'inbound|8080||' } } } }
            """.formatted(match);
    }

    @Test
    void onlyWhoIsNamedMayDoWhatIsNamed() {
        Given.listener(resources, "inbound", chain(true, rbac("ALLOW", """
            policies { key: 'ns/default/pay' value {
              principals { authenticated { principal_name { exact: '%s' } } }
              permissions { and_rules {
                rules { header { name: ':method' string_match { exact: 'GET' } } }
                rules { url_path { path { prefix: '/pay' } } } } } } }
            """.formatted(CHECKOUT))));
        InboundRule rule = rule();

        assertThat(rule.authorize(CHECKOUT, get("/pay?x"))).isEqualTo(new Verdict.Allowed("ns/default/pay"));
        assertThat(rule.authorize(CHECKOUT, request("POST", "/pay")))
                .isEqualTo(new Verdict.Unmatched("ns/default/pay"));
        assertThat(rule.authorize(CHECKOUT, get("/admin"))).isInstanceOf(Verdict.Unmatched.class);
        assertThat(rule.authorize("spiffe://cluster.local/ns/default/sa/web", get("/pay")))
                .isInstanceOf(Verdict.Unmatched.class);
        assertThat(rule.authorize(null, get("/pay"))).isInstanceOf(Verdict.Unmatched.class);
    }

    @Test
    void aDenialBeatsAnAllowance() {
        Given.listener(
                resources,
                "inbound",
                chain(
                        true,
                        rbac(
                                        "DENY",
                                        "policies { key: 'no-deletes' value { principals { any: true } permissions {"
                                                + " header { name: ':method' string_match { exact: 'DELETE' } } } } }")
                                + rbac(
                                        "ALLOW",
                                        "policies { key: 'all' value { principals { any: true } permissions { any:"
                                                + " true } } }")));
        InboundRule rule = rule();

        assertThat(rule.authorize(null, request("DELETE", "/"))).isEqualTo(new Verdict.Denied("no-deletes"));
        assertThat(rule.authorize(null, get("/"))).isEqualTo(new Verdict.Allowed("all"));
    }

    @Test
    void anEmptyAllowListLetsNobodyIn() {
        Given.listener(resources, "inbound", chain(true, rbac("ALLOW", "")));

        assertThat(rule().authorize(CHECKOUT, get("/"))).isEqualTo(new Verdict.Unmatched(""));
    }

    @Test
    void pathsAreNormalisedAsTheConnectionManagerIsTold() {
        Given.listener(
                resources,
                "inbound",
                chain(
                        true,
                        "normalize_path { value: true } merge_slashes: true"
                                + " path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD"));
        assertThat(rule().canonical("/pay%2f..//%61dmin?x")).isEqualTo("/admin?x");
        assertThat(rule().canonical("/%")).isNull();

        Given.listener(resources, "inbound", chain(true, ""));
        assertThat(rule().canonical("/pay/../admin")).isEqualTo("/pay/../admin");
    }

    @Test
    void aRefusalNamesTheObjectToTheCallerAndThePlaceInTheLog() {
        var denied = new Refusal.Denied(
                CHECKOUT, "GET /admin", "AuthorizationPolicy default/no-admin spec.rules[0] (a.yaml:9:5)", true);
        var unmatched = new Refusal.Denied(
                CHECKOUT,
                "GET /admin",
                "AuthorizationPolicy default/pay spec.rules[0] (a.yaml:9:5), AuthorizationPolicy default/pay"
                        + " spec.rules[1] (a.yaml:19:5), AuthorizationPolicy default/more (b.yaml:1:1)",
                false);

        assertThat(denied.sentence())
                .isEqualTo("RBAC: " + CHECKOUT
                        + " may not GET /admin: denied by AuthorizationPolicy default/no-admin spec.rules[0]");
        assertThat(denied.origin()).endsWith("(a.yaml:9:5)");
        assertThat(denied.details())
                .startsWith("rbac_access_denied_matched_policy[AuthorizationPolicy_default/no-admin_");
        assertThat(unmatched.sentence())
                .isEqualTo("RBAC: " + CHECKOUT + " may not GET /admin: not allowed by any rule of"
                        + " AuthorizationPolicy default/pay, AuthorizationPolicy default/more");
        assertThat(unmatched.origin()).contains("(a.yaml:9:5)", "(b.yaml:1:1)");
    }

    @Test
    void aPolicyThatCannotBeDecidedIsRejectedAndTheLastGoodListenerStays() {
        Given.listener(resources, "inbound", chain(true, ""));

        var rejected = Given.listener(
                resources,
                "inbound",
                chain(
                        true,
                        rbac(
                                "DENY",
                                "policies { key: 'p' value { principals { remote_ip { address_prefix: '10.0.0.0' } }"
                                        + " permissions { any: true } } }")));

        assertThat(rejected.getFirst().reason()).contains("principal is not supported: REMOTE_IP");
        assertThat(rule().authorize(CHECKOUT, get("/"))).isInstanceOf(Verdict.Allowed.class);
    }

    private InboundRule rule() {
        return Objects.requireNonNull(resources.plan().inbound(8080));
    }

    private static String rbac(String action, String policies) {
        return """
            http_filters { name: 'rbac' typed_config {
              [type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC] {
                rules { action: %s %s } } } }
            """.formatted(action, policies);
    }

    static String chain(boolean tls, String filters) {
        String socket = """
            transport_socket { name: 'tls' typed_config {
              [type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext] {
                require_client_certificate { value: true }
                common_tls_context { combined_validation_context { default_validation_context {
                  match_typed_subject_alt_names { san_type: URI
                    matcher { prefix: 'spiffe://cluster.local/' } } } } } } } }
            """;
        return """
            filter_chains { filter_chain_match { destination_port { value: 8080 } } %s
              filters { name: 'hcm' typed_config {
                [type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager] {
                  %s
                  http_filters { name: 'router' typed_config {
                    [type.googleapis.com/envoy.extensions.filters.http.router.v3.Router] {} } }
                  route_config { virtual_hosts { name: 'inbound' domains: '*'
                    routes { match { prefix: '/' } route { cluster: 'inbound|8080||' timeout {} } } } } } } } }
            """.formatted(tls ? socket : "", filters);
    }
}
