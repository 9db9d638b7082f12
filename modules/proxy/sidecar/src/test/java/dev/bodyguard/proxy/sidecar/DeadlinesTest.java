package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.ExpectedTimeout;
import dev.bodyguard.proxy.engine.GrpcTimeout;
import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Limits;
import dev.bodyguard.proxy.wire.Listener;
import dev.bodyguard.proxy.wire.ListenerEvents;
import dev.bodyguard.proxy.wire.Loops;
import dev.bodyguard.proxy.wire.RequestListener;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Response;
import dev.bodyguard.proxy.wire.TunnelListener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How long a request may take, through two sidecars and in front of an app that speaks HTTP/1 and HTTP/2.
class DeadlinesTest {
    private final TestAuthority authority = authority();
    private final List<Exchange> asked = new CopyOnWriteArrayList<>();
    private final AtomicInteger cancelled = new AtomicInteger();
    private volatile Consumer<Exchange> handler = DeadlinesTest::answer;
    private final Loops loops = Loops.start(1);
    private Listener app;
    private TestSidecar callee;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        app = Listener.outbound(
                loops,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Limits.DEFAULTS,
                this::begin,
                _ -> new TunnelListener() {},
                new ListenerEvents() {});
        int port = app.address().getPort();
        callee = new TestSidecar("payment-service", port, authority.svid("payment-service"));
        callee.config
                .put(Resources.LISTENER, "inbound", Given.inbound(port))
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "inbound|" + port + "||", Given.inboundCluster(port));
        callee.follow();
        TestSidecar.eventually("the app is known", () -> callee.plan().cluster("inbound|" + port + "||") != null);
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "PassthroughCluster", Given.passThrough())
                .put(
                        Resources.CLUSTER,
                        Given.CLUSTER,
                        Given.cluster(authority.id("payment-service").toString()))
                .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort()));
        routes(Given.route(Given.to(Given.CLUSTER)));
        caller.follow();
    }

    @AfterEach
    void stop() {
        caller.close();
        callee.close();
        app.close();
        loops.close();
    }

    @Test
    void tellTheAppWhatRemainsOfGrpcs() {
        call("grpc-timeout", "10S");

        long told = GrpcTimeout.nanos(told(0, GrpcTimeout.NAME));
        assertThat(told).isBetween(1L, Duration.ofSeconds(10).toNanos() - 1);
        assertThat(ExpectedTimeout.nanos(told(0, ExpectedTimeout.NAME)))
                .isBetween(1L, Duration.ofSeconds(10).toNanos() - 1);
    }

    @Test
    void areAlsoTheRoutesForACallOfGrpc() {
        routes(Given.route(Given.to(Given.CLUSTER).setTimeout(Given.millis(7_000))));

        call("grpc-timeout", "99999999H");
        call("x-other", "");

        for (int i = 0; i < 2; i++) {
            assertThat(GrpcTimeout.nanos(told(i, GrpcTimeout.NAME)))
                    .isBetween(1L, Duration.ofSeconds(7).toNanos());
        }
    }

    @Test
    void areToldInEnvoysHeaderToAnAppOfHttp() throws IOException {
        routes(Given.route(Given.to(Given.CLUSTER).setTimeout(Given.millis(7_000))));

        caller.ask("POST", "http://payment-service/", "", "sum=1");
        caller.ask("POST", "http://payment-service/", "x-envoy-expected-rq-timeout-ms: 60000\r\n", "sum=1");
        caller.ask("POST", "http://payment-service/", "x-envoy-expected-rq-timeout-ms: 3000\r\n", "sum=1");

        assertThat(Long.parseLong(told(0, ExpectedTimeout.NAME))).isBetween(1L, 7_000L);
        assertThat(Long.parseLong(told(1, ExpectedTimeout.NAME))).isBetween(1L, 7_000L);
        assertThat(Long.parseLong(told(2, ExpectedTimeout.NAME))).isBetween(1L, 3_000L);
        assertThat(told(0, GrpcTimeout.NAME)).isEqualTo("null");
    }

    @Test
    void areForOneTryWhereThatIsLess() throws IOException {
        routes(Given.retrying(3, 2_000));

        caller.get("http://payment-service/");

        assertThat(Long.parseLong(told(0, ExpectedTimeout.NAME))).isBetween(1L, 2_000L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-5S", "5", "999999999S", "5X", "18446744073709551616n", "S"})
    void goOnAsTheyCameWhereTheyAreNone(String value) {
        var answer = call("grpc-timeout", value);

        assertThat(answer.header("grpc-status")).isEqualTo("0");
        assertThat(told(0, GrpcTimeout.NAME)).isEqualTo(value);
        assertThat(told(0, ExpectedTimeout.NAME)).isEqualTo("null");
    }

    @Test
    void areNoneWhereACallHasTwo() {
        var fields = fields("grpc-timeout", "1n").add("grpc-timeout", "5S");
        var answer = caller.http2("POST", "payment-service", "/pay.Pay/Charge", fields, "\0\0\0\0\0");

        assertThat(answer.header("grpc-status")).isEqualTo("0");
        assertThat(asked.getFirst().request().fields().all(GrpcTimeout.NAME)).containsExactly("1n", "5S");
    }

    @Test
    void endACallInGrpcsWordsAndWhatTheAppDoes() {
        handler = _ -> {};

        var answer = call("grpc-timeout", "300m");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("grpc-status")).as("DEADLINE_EXCEEDED").isEqualTo("4");
        assertThat(answer.header("grpc-message"))
                .isEqualTo("no complete answer within the 300 ms that the caller has left for it (grpc-timeout)");
        TestSidecar.eventually("the app was told", () -> cancelled.get() == 1);
        assertThat(caller.line(1)).contains("\"response_flags\":\"UT\"", "\"grpc_status\":4");
        assertThat(caller.metrics()).doesNotContain("bodyguard_upstream_retries_total{");
    }

    @Test
    void endAStreamThatHasBegunWithAStatus() {
        handler = exchange -> {
            exchange.head(Response.of(200, Fields.of("content-type", "application/grpc")), false);
            exchange.data(Unpooled.copiedBuffer(new byte[] {0, 0, 0, 0, 0}), false);
        };

        var answer = call("grpc-timeout", "300m");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).hasSize(5);
        assertThat(answer.trailer("grpc-status")).isEqualTo("4");
        assertThat(answer.trailer("grpc-message")).contains("the 300 ms");
        TestSidecar.eventually("the app was told", () -> cancelled.get() == 1);
    }

    @Test
    void haveNobodyAskedWhereNoneIsLeft() {
        var answer = call("grpc-timeout", "0S");

        assertThat(answer.header("grpc-status")).isEqualTo("4");
        assertThat(asked).isEmpty();
        assertThat(caller.line(1)).contains("\"attempts\":0");
    }

    /// By a client of the mesh that sets a time and keeps no clock.
    @Test
    void areObeyedByTheCalleesSidecarToo() {
        handler = _ -> {};
        for (var header : new String[][] {{"grpc-timeout", "300m"}, {"x-envoy-expected-rq-timeout-ms", "300"}}) {
            var answer =
                    caller.straightTo(callee, "POST", "/pay.Pay/Charge", fields(header[0], header[1]), "\0\0\0\0\0");

            assertThat(answer.header("grpc-status")).isEqualTo("4");
            assertThat(answer.header("grpc-message")).contains("300 ms", header[0]);
            assertThat(answer.header("x-bodyguard-flag")).isEqualTo("UT");
        }
        TestSidecar.eventually("the app was told", () -> cancelled.get() == 2);
        TestSidecar.eventually("both lines are written", () -> callee.lines() == 2);
        assertThat(caller.lines()).isZero();
    }

    @Test
    void areOneForAllTries() throws IOException {
        handler = _ -> {};
        routes(retryingWithin(1_000, 300));

        long from = System.nanoTime();
        var answer = caller.get("http://payment-service/");

        assertThat(answer.status()).isEqualTo(504);
        assertThat(answer.body()).contains("within 1000 ms, the route's timeout");
        assertThat(Duration.ofNanos(System.nanoTime() - from)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
        TestSidecar.eventually("no try goes on", () -> cancelled.get() == asked.size());
        assertThat(asked.size()).isBetween(2, 4);
        for (int i = 0; i < asked.size(); i++) {
            assertThat(Long.parseLong(told(i, ExpectedTimeout.NAME))).isBetween(1L, Math.min(300, 1_000 - 300L * i));
        }
    }

    @Test
    void letAnAnswerThatHasBegunGoOn() throws IOException {
        handler = exchange -> {
            exchange.head(Response.of(200, Fields.of("content-length", "4")), false);
            var _ = exchange.loop()
                    .after(
                            Duration.ofMillis(600),
                            () -> exchange.data(Unpooled.copiedBuffer("late", StandardCharsets.US_ASCII), true));
        };

        assertThat(caller.ask("GET", "http://payment-service/", "x-envoy-expected-rq-timeout-ms: 300\r\n", "")
                        .body())
                .isEqualTo("late");
    }

    @Test
    void holdForStrangersToo() throws IOException {
        handler = _ -> {};

        var answer = caller.ask(
                "GET",
                "http://localhost:" + app.address().getPort() + "/",
                "x-envoy-expected-rq-timeout-ms: 300\r\n",
                "");

        assertThat(answer.status()).isEqualTo(504);
        assertThat(Long.parseLong(told(0, ExpectedTimeout.NAME))).isBetween(1L, 300L);
        TestSidecar.eventually("the app was told", () -> cancelled.get() == 1);
    }

    @Test
    void doNotCountWhileAnUploadIsUnderWay() throws Exception {
        routes(Given.route(Given.to(Given.CLUSTER).setTimeout(Given.millis(200))));
        try (var socket = caller.connect()) {
            socket.getOutputStream().write(TestSidecar.head("POST", "http://payment-service/", "", 4));
            socket.getOutputStream().flush();
            TestSidecar.eventually("the app is asked", () -> asked.size() == 1);
            long from = System.nanoTime();
            TestSidecar.eventually("time passes", () -> System.nanoTime() - from > 400_000_000);
            socket.getOutputStream().write(new byte[] {1, 2, 3, 4});
            socket.getOutputStream().flush();

            assertThat(Http1.need(new BufferedInputStream(socket.getInputStream()), false)
                            .status())
                    .isEqualTo(200);
        }
    }

    private Http2Answer call(String name, String value) {
        return caller.http2("POST", "payment-service", "/pay.Pay/Charge", fields(name, value), "\0\0\0\0\0");
    }

    private static Fields fields(String name, String value) {
        return Fields.of("content-type", "application/grpc", "te", "trailers", name, value);
    }

    private String told(int call, String name) {
        return String.valueOf(asked.get(call).request().fields().get(name));
    }

    private void routes(Route... routes) {
        caller.config.put(Resources.VIRTUAL_HOST, "80/payment-service", Given.host("80/payment-service", routes));
    }

    private static Route[] retryingWithin(long millis, long perTryMillis) {
        var routes = Given.retrying(9, perTryMillis);
        for (int i = 0; i < routes.length; i++) {
            var route = routes[i].toBuilder();
            route.getRouteBuilder().setTimeout(Given.millis(millis));
            routes[i] = route.build();
        }
        return routes;
    }

    private RequestListener begin(Exchange exchange) {
        asked.add(exchange);
        if (exchange.bodyless()) {
            handler.accept(exchange);
        }
        return new RequestListener() {
            @Override
            public void onData(ByteBuf chunk, boolean last) {
                chunk.release();
                if (last) {
                    handler.accept(exchange);
                }
            }

            @Override
            public void onTrailers(Fields trailers) {
                handler.accept(exchange);
            }

            @Override
            public void onReset(Reset reason) {
                cancelled.incrementAndGet();
            }

            @Override
            public void onWritable() {}
        };
    }

    private static void answer(Exchange exchange) {
        var fields = LocalReply.isGrpc(exchange.request())
                ? Fields.of("content-type", "application/grpc", "grpc-status", "0")
                : Fields.of("content-length", "0");
        exchange.head(Response.of(200, fields), true);
    }

    private static TestAuthority authority() {
        try {
            return new TestAuthority("cluster.local");
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }
}
