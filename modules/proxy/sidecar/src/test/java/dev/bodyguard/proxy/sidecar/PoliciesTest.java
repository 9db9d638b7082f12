package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.route.v3.RateLimit;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.XRateLimitHeadersRFCVersion;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import java.io.IOException;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who may ask an app for what, and how often: two sidecars, real sockets and real certificates.
class PoliciesTest {
    static final String NO_ADMIN = "AuthorizationPolicy default/no-admin spec.rules[0]";
    static final String TWICE = "RateLimit default/twice spec.rules[0]";

    private App app;
    private TestSidecar callee;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        var authority = new TestAuthority("cluster.local");
        app = new App((_, answer) -> answer.send(200, "paid"));
        int port = app.port();
        callee = new TestSidecar("payment-service", port, authority.svid("payment-service"));
        callee.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "inbound|" + port + "||", Given.inboundCluster(port));
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "PassthroughCluster", Given.passThrough())
                .put(
                        Resources.CLUSTER,
                        Given.CLUSTER,
                        Given.cluster(authority.id("payment-service").toString()))
                .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort()))
                .put(
                        Resources.VIRTUAL_HOST,
                        "80/payment-service",
                        Given.host("80/payment-service", Given.retrying(3, 0)));
    }

    private void begin(Message policy) throws IOException {
        callee.config.put(Resources.LISTENER, "inbound", guarded(app.port(), policy));
        callee.follow();
        TestSidecar.eventually(
                "the app's cluster is known",
                () -> callee.plan().cluster("inbound|" + app.port() + "||") != null
                        && callee.plan().inbound(app.port()) != null);
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        callee.close();
        app.close();
    }

    @Test
    void aDenialIsA403ThatNamesTheObjectAndIsNotTriedAgain() throws IOException {
        begin(noAdmin());

        assertThat(caller.get("http://payment-service/pay").status()).isEqualTo(200);
        var refused = caller.get("http://payment-service/admin?token=secret");

        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.body())
                .contains(
                        "RBAC: spiffe://cluster.local/ns/default/sa/checkout may not GET /admin: denied by " + NO_ADMIN)
                .doesNotContain("pay.yaml", "secret");
        assertThat(refused.headers()).containsEntry("x-bodyguard-flag", "RBAC");
        assertThat(callee.line(2))
                .contains("\"response_code\":403", "\"response_flags\":\"RBAC\"")
                .contains("\"rule\":\"" + NO_ADMIN + " (pay.yaml:3:5)\"", "rbac_access_denied_matched_policy[");
        assertThat(caller.line(2)).contains("\"response_code\":403", "\"attempts\":1");
        assertThat(app.seen).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/pay/../admin", "//admin", "/%61dmin", "/pay%2f..%2fadmin", "/pay/%2e%2e/admin", "/\\admin"})
    void aPathInDisguiseIsSeenThrough(String path) throws IOException {
        begin(noAdmin());

        assertThat(caller.get("http://payment-service" + path).status()).isEqualTo(403);
        assertThat(app.seen).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/users:delete", "/v1/users%3Adelete", "/v1/users%3adelete", "/v1/u%73ers%3Adelete?x"})
    void aReservedCharacterInDisguiseIsSeenThrough(String path) throws IOException {
        begin(denying("/v1/users:"));

        var refused = caller.get("http://payment-service" + path);
        var other = caller.get("http://payment-service/v1/a%3Bb%2fc");

        assertThat(refused.status()).isEqualTo(403);
        assertThat(other.status()).isEqualTo(200);
        assertThat(app.seen).hasSize(1);
        assertThat(app.seen.getFirst().first())
                .as("what is reserved means to the app what it says")
                .isEqualTo("GET /v1/a%3Bb/c HTTP/1.1");
    }

    @Test
    void theAppGetsThePathThatWasDecidedUpon() throws IOException {
        begin(noAdmin());

        caller.get("http://payment-service/admin/..//pay/%61?x=%61");
        var odd = caller.get("http://payment-service/pay%zz");

        assertThat(app.seen.getFirst().first()).isEqualTo("GET /pay/a?x=%61 HTTP/1.1");
        assertThat(odd.status()).isEqualTo(400);
        assertThat(odd.body()).contains("cannot be normalised");
    }

    @Test
    void bytesThatAreNoRequestDoNotGetAroundALimit() throws IOException {
        begin(twiceAMinute());

        assertThat(Objects.requireNonNull(callee.plan().inbound(app.port())).opaque(null))
                .isNull();
    }

    @Test
    void grpcIsRefusedInItsOwnWords() throws IOException {
        begin(noAdmin());

        var refused = caller.ask("POST", "http://payment-service/admin", "content-type: application/grpc\r\n", "");

        assertThat(refused.status()).isEqualTo(200);
        assertThat(refused.headers()).containsEntry("grpc-status", "7");
        assertThat(refused.headers().get("grpc-message")).contains(NO_ADMIN);
    }

    @Test
    void aLimitTellsWhatIsLeftAndThenRefuses() throws IOException {
        begin(twiceAMinute());

        var first = caller.get("http://payment-service/pay");
        caller.get("http://payment-service/pay");
        var third = caller.get("http://payment-service/pay");
        var grpc = caller.ask("POST", "http://payment-service/pay", "content-type: application/grpc\r\n", "");

        assertThat(first.status()).isEqualTo(200);
        assertThat(first.headers())
                .containsEntry("ratelimit-limit", "2")
                .containsEntry("ratelimit-remaining", "1")
                .containsEntry("ratelimit-reset", "30")
                .containsEntry("ratelimit-policy", "\"RateLimit default/twice\";q=2;w=60")
                .containsEntry("ratelimit", "\"RateLimit default/twice\";r=1;t=30");
        assertThat(third.status()).isEqualTo(429);
        assertThat(third.headers())
                .containsEntry("ratelimit-remaining", "0")
                .containsEntry("x-bodyguard-flag", "RL")
                .containsKey("retry-after");
        assertThat(Long.parseLong(third.headers().get("retry-after"))).isBetween(1L, 30L);
        assertThat(third.body())
                .contains(
                        "rate limited: spiffe://cluster.local/ns/default/sa/checkout is over 2 per minute of " + TWICE)
                .doesNotContain("pay.yaml");
        assertThat(callee.line(3)).contains("\"response_flags\":\"RL\"", "\"rule\":\"" + TWICE + " (pay.yaml:4:5)\"");
        assertThat(caller.line(3)).contains("\"response_code\":429", "\"attempts\":1");
        assertThat(grpc.headers()).containsEntry("grpc-status", "8").containsKey("retry-after");
        assertThat(app.seen).hasSize(2);
    }

    static Listener guarded(int port, Message policy) {
        var listener = Given.inbound(port).toBuilder();
        var chain = listener.getFilterChainsBuilder(listener.getFilterChainsCount() - 1);
        var filter = chain.getFiltersBuilder(0);
        try {
            filter.setTypedConfig(Any.pack(filter.getTypedConfig().unpack(HttpConnectionManager.class).toBuilder()
                    .setNormalizePath(BoolValue.of(true))
                    .setMergeSlashes(true)
                    .setPathWithEscapedSlashesAction(PathWithEscapedSlashesAction.UNESCAPE_AND_FORWARD)
                    .addHttpFilters(HttpFilter.newBuilder().setName("policy").setTypedConfig(Any.pack(policy)))
                    .build()));
        } catch (InvalidProtocolBufferException broken) {
            throw new AssertionError(broken);
        }
        return listener.build();
    }

    static RBAC noAdmin() {
        return denying("/admin");
    }

    private static RBAC denying(String prefix) {
        return RBAC.newBuilder()
                .setRules(io.envoyproxy
                        .envoy
                        .config
                        .rbac
                        .v3
                        .RBAC
                        .newBuilder()
                        .setAction(io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.DENY)
                        .putPolicies(
                                NO_ADMIN + " (pay.yaml:3:5)",
                                Policy.newBuilder()
                                        .addPrincipals(Principal.newBuilder().setAny(true))
                                        .addPermissions(Permission.newBuilder()
                                                .setUrlPath(PathMatcher.newBuilder()
                                                        .setPath(StringMatcher.newBuilder()
                                                                .setPrefix(prefix))))
                                        .build()))
                .build();
    }

    static LocalRateLimit twiceAMinute() {
        var always = RuntimeFractionalPercent.newBuilder()
                .setDefaultValue(FractionalPercent.newBuilder().setNumerator(100));
        var rule = TWICE + " (pay.yaml:4:5)";
        return LocalRateLimit.newBuilder()
                .setStatPrefix("x")
                .setFilterEnabled(always)
                .setFilterEnforced(always)
                .setEnableXRatelimitHeaders(XRateLimitHeadersRFCVersion.DRAFT_VERSION_03)
                .addRateLimits(RateLimit.newBuilder()
                        .addActions(key("rule", rule))
                        .addActions(key("principal", "%DOWNSTREAM_PEER_URI_SAN%")))
                .addDescriptors(LocalRateLimitDescriptor.newBuilder()
                        .addEntries(RateLimitDescriptor.Entry.newBuilder()
                                .setKey("rule")
                                .setValue(rule))
                        .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey("principal"))
                        .setTokenBucket(TokenBucket.newBuilder()
                                .setMaxTokens(2)
                                .setTokensPerFill(UInt32Value.of(2))
                                .setFillInterval(Duration.newBuilder().setSeconds(60))))
                .build();
    }

    private static RateLimit.Action key(String key, String value) {
        return RateLimit.Action.newBuilder()
                .setGenericKey(RateLimit.Action.GenericKey.newBuilder()
                        .setDescriptorKey(key)
                        .setDescriptorValue(value))
                .build();
    }
}
