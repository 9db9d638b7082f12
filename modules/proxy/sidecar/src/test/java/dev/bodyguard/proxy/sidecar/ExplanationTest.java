package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Outcome;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.telemetry.record.Meters;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a sidecar says it would do: on its admin port, of a plan that was made of resources.
class ExplanationTest {
    private static final String CHECKOUT = "spiffe://cluster.local/ns/default/sa/checkout";
    private static final String PAYMENT = "spiffe://cluster.local/ns/default/sa/payment-service";
    private static final int APP = 8080;

    private final Resources resources = new Resources(new Loads());
    private final InForce<Generation> inForce = new InForce<>(new Generation(Plan.EMPTY));
    private final Planner planner = new Planner(inForce, new Loads(), Duration.ofSeconds(2), (_, _) -> {});
    private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    private AdminServer admin;

    @BeforeEach
    void start() throws IOException {
        planner.askThrough(new Planner.Subscriptions() {
            @Override
            public void subscribe(String type, Collection<String> names) {
                if (type.equals(Resources.VIRTUAL_HOST)) {
                    asked.addAll(names);
                }
            }

            @Override
            public void unsubscribe(String type, Collection<String> names) {}
        });
        var settings = switch (Settings.from(
                List.of("--service", "checkout", "--version", "v1", "--app-port", "" + APP, "--state", "/none"),
                Map.of())) {
            case Settings.Asked.Run(var run) -> run;
            case Settings.Asked.Help _, Settings.Asked.Mistake _ -> throw new AssertionError("settings");
        };
        var pages = new AdminPages(
                new Readiness(),
                new Meters(),
                inForce,
                new Hosts(planner, Hosts.MOST),
                settings,
                SpiffeId.ofServiceAccount("cluster.local", "default", "checkout"),
                () -> List.of(new Problem(Problem.About.APP, Problem.Severity.ERROR, "its app is silent")),
                () -> {});
        admin = AdminServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), pages.all());
    }

    @AfterEach
    void stop() {
        admin.close();
        planner.close();
    }

    private ExplanationTest given(String type, String name, Message resource) {
        assertThat(resources.apply(type, Map.of(name, Any.pack(resource)), List.of()))
                .isEmpty();
        inForce.replace(new Generation(resources.plan(), resources.warming(), new MeshHosts()));
        return this;
    }

    private Http1.Message get(String page, String... namesAndValues) throws IOException {
        var query = new StringBuilder();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            query.append(i == 0 ? '?' : '&')
                    .append(namesAndValues[i])
                    .append('=')
                    .append(URLEncoder.encode(namesAndValues[i + 1], StandardCharsets.UTF_8));
        }
        return exactly(page + query);
    }

    private Http1.Message exactly(String target) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), admin.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("GET " + target + " HTTP/1.1\r\nhost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            return Http1.need(new BufferedInputStream(socket.getInputStream()), false);
        }
    }

    private void payment(int... healthy) {
        given(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .given(
                        Resources.VIRTUAL_HOST,
                        "80/payment-service",
                        Given.host("80/payment-service", Given.retrying(3, 2_000)))
                .given(Resources.CLUSTER, Given.CLUSTER, Given.cluster(PAYMENT))
                .given(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(healthy));
    }

    @Test
    void aRouteIsToldWithItsOriginItsRetriesAndItsEndpoints() throws IOException {
        payment(15_008, 15_009);

        var answer = get("/explain", "url", "http://payment-service/pay?id=7");

        assertThat(answer.headers()).containsEntry("content-type", "application/json");
        assertThat(answer.body())
                .contains("\"principal\":\"" + CHECKOUT + "\"", "\"host\":\"80/payment-service\"")
                .contains("\"decision\":\"forward\"", "\"known\":\"yes\"", "\"rule\":\"" + Given.ORIGIN + "\"")
                .contains("\"retries\":{\"most\":3,\"on\":[\"5xx\",\"reset\",\"connect-failure\"],\"statuses\":[],"
                        + "\"perTryMillis\":2000}")
                .contains("\"cluster\":\"" + Given.CLUSTER + "\",\"weight\":1")
                .contains("\"sent\":{\"authority\":\"payment-service\",\"path\":\"/pay?id=7\",\"headers\":[]}")
                .contains("{\"address\":\"127.0.0.1:15009\",\"workload\":\"payment-service-v2-15009\","
                        + "\"namespace\":\"default\",\"version\":\"v2\",\"healthy\":true,\"available\":true,"
                        + "\"ejected\":null,\"transport\":\"mtls\","
                        + "\"accepted\":[\"" + PAYMENT + "\"]}")
                .contains("\"refusal\":null");
    }

    @Test
    void whoIsEjectedIsToldAndWhy() throws IOException {
        payment(15_008, 15_009);
        given(
                Resources.CLUSTER,
                Given.CLUSTER,
                Given.cluster(PAYMENT).toBuilder()
                        .setOutlierDetection(OutlierDetection.newBuilder()
                                .setConsecutive5Xx(UInt32Value.of(1))
                                .setMaxEjectionPercent(UInt32Value.of(100)))
                        .build());
        var cluster = Objects.requireNonNull(inForce.get().plan().cluster(Given.CLUSTER));

        cluster.endpoints().getFirst().heard(new Outcome.Responded(500, -1));
        assertThat(get("/explain", "url", "http://payment-service/").body())
                .contains(
                        "\"available\":false,\"ejected\":\"ejected for 30 s more, as it answered 5xx or not at all\"",
                        "\"available\":true,\"ejected\":null",
                        "\"panic\":false");
        assertThat(get("/config").body())
                .contains("\"panic\":false", "\"ejected\":\"ejected for 30 s more, as it", "\"ejected\":null");

        cluster.endpoints().getLast().heard(new Outcome.ConnectFailed());
        assertThat(get("/explain", "url", "http://payment-service/").body())
                .contains("\"panic\":true", "\"refusal\":null")
                .doesNotContain("\"available\":false");
        assertThat(Ejected.sentences(inForce.get().plan()))
                .singleElement()
                .asString()
                .startsWith(
                        "of 2 endpoints of " + Given.CLUSTER + " 2 are left alone: workload payment-service-v2-15008"
                                + " at 127.0.0.1:15008 is ejected for 30 s more")
                .contains("; so few are left that all are asked again, by ");
    }

    @Test
    void methodAndHeadersDecideAsThoseOfARequestDo() throws IOException {
        payment(15_008);

        assertThat(get("/explain", "method", "POST", "url", "http://payment-service/pay")
                        .body())
                .contains("\"on\":[\"connect-failure\",\"refused-stream\"]");
        assertThat(get(
                                "/explain",
                                "method",
                                "POST",
                                "url",
                                "http://payment-service/pay",
                                "header",
                                "Idempotency-Key: 7",
                                "header",
                                "x-bodyguard-peer: forged")
                        .body())
                .contains("\"on\":[\"5xx\",\"reset\",\"connect-failure\"]")
                .contains("\"headers\":[\"idempotency-key:7\"]");
    }

    @Test
    void whereNobodyIsReadyTheRefusalIsTheOneARequestWouldGet() throws IOException {
        payment();

        assertThat(get("/explain", "url", "http://payment-service/pay").body())
                .contains("\"refusal\":{\"status\":503,\"flag\":\"UH\",\"sentence\":\"" + Given.CLUSTER
                        + " has no endpoint")
                .contains("\"rule\":\"" + Given.ORIGIN + "\"}");
    }

    @Test
    void aHostThatIsNotKnownYetIsAskedForAndSaidToBe() throws Exception {
        given(Resources.LISTENER, "outbound", Given.outboundBlockingUnknown());

        assertThat(get("/explain", "url", "http://Refunds:81").body())
                .contains("\"known\":\"not known yet, asked now\"", "\"host\":\"81/refunds\"");
        assertThat(asked.poll(30, TimeUnit.SECONDS)).isEqualTo("81/refunds");

        assertThat(resources.apply(Resources.VIRTUAL_HOST, Map.of(), List.of("81/refunds")))
                .isEmpty();
        inForce.replace(new Generation(resources.plan()));
        assertThat(get("/explain", "url", "http://Refunds:81").body())
                .contains("\"known\":\"no\",\"decision\":\"refuse\"", "only hosts of the mesh may be called");
    }

    @Test
    void aDenialNamesThePolicyAndItsPlace() throws IOException {
        given(Resources.LISTENER, "inbound", PoliciesTest.guarded(APP, PoliciesTest.noAdmin()))
                .given(Resources.CLUSTER, "inbound|" + APP + "||", Given.inboundCluster(APP));

        assertThat(get("/explain-inbound", "path", "/pay/../admin?x", "principal", CHECKOUT)
                        .body())
                .contains("\"path\":\"/admin?x\"")
                .contains("\"authorization\":{\"allowed\":false,\"rule\":\"" + PoliciesTest.NO_ADMIN
                        + " (pay.yaml:3:5)\"}")
                .contains("\"status\":403,\"flag\":\"RBAC\",\"sentence\":\"RBAC: " + CHECKOUT + " may not GET /admin");
        assertThat(get("/explain-inbound", "path", "/pay", "principal", CHECKOUT)
                        .body())
                .contains("\"authorization\":{\"allowed\":true,\"rule\":null},\"limits\":[]")
                .contains("\"app\":[\"127.0.0.1:" + APP + "\"]", "\"refusal\":null");
        assertThat(get("/explain-inbound", "path", "/pay").body())
                .contains("\"handshake\":\"only mutual TLS is let in here");
    }

    @Test
    void aLimitIsToldWithoutBeingCountedAgainst() throws IOException {
        given(Resources.LISTENER, "inbound", PoliciesTest.guarded(APP, PoliciesTest.twiceAMinute()))
                .given(Resources.CLUSTER, "inbound|" + APP + "||", Given.inboundCluster(APP));

        for (int i = 0; i < 3; i++) {
            assertThat(get("/explain-inbound", "path", "/pay", "principal", CHECKOUT)
                            .body())
                    .contains("\"limits\":[{\"rule\":\"" + PoliciesTest.TWICE + " (pay.yaml:4:5)\",\"requests\":2,"
                            + "\"windowSeconds\":60,\"atOnce\":2,\"remaining\":2,\"status\":429}]");
        }
    }

    @Test
    void aQuestionThatIsNoneIsA400ThatSaysWhy() throws IOException {
        assertThat(get("/explain").body()).contains("the parameter url must be there once, was there 0 times");
        assertThat(get("/explain", "url", "https://payment-service/").status()).isEqualTo(400);
        assertThat(get("/explain", "url", "http://payment-service/", "header", "nothing")
                        .body())
                .contains("a header must be name:value");
        assertThat(get("/explain-inbound", "port", "x").body()).contains("must be a number, was x");
        assertThat(exactly("/explain?url=%zz").status()).isEqualTo(400);
        assertThat(exactly("/explain?url=" + "x".repeat(5_000)).status()).isEqualTo(400);
        assertThat(exactly("/nothing?x").body()).contains("GET /explain\n", "GET /explain-inbound\n");
    }

    @Test
    void tellsWhatIsWrongBesideTheSidecar() throws IOException {
        assertThat(JsonReader.read(get("/problems").body()))
                .isEqualTo(List.of(Map.of("about", "app", "severity", "ERROR", "problem", "its app is silent")));
    }
}
