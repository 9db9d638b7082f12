package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.route.v3.Route;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two sidecars, an app behind one of them, real sockets and real certificates.
class ExchangeTest {
    private final TestAuthority authority = authority("cluster.local");
    private App.Handler handler = (_, answer) -> answer.send(200, "paid");
    private App app;
    private TestSidecar callee;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        app = new App((request, answer) -> handler.handle(request, answer));
        callee = callee(app.port());
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "PassthroughCluster", Given.passThrough())
                .put(Resources.CLUSTER, Given.CLUSTER, Given.cluster(paymentService()))
                .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort()));
        routes(Given.retrying(3, 0));
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        callee.close();
        app.close();
    }

    @Test
    void carriesARequestThroughBothOverMutualTls() throws IOException {
        var answer = caller.get("http://payment-service/pay?sum=1");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("paid");
        var seen = app.seen.getFirst();
        assertThat(seen.first()).isEqualTo("GET /pay?sum=1 HTTP/1.1");
        assertThat(seen.headers()).containsEntry("host", "payment-service");
        assertThat(seen.headers().get("traceparent")).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]");
        assertThat(seen.headers().get("x-request-id")).isNotEmpty();
        assertThat(seen.headers().get("x-forwarded-client-cert"))
                .isEqualTo("By=" + paymentService() + ";URI=spiffe://cluster.local/ns/default/sa/checkout");
        assertThat(seen.headers()).doesNotContainKeys("x-bodyguard-peer", "x-bodyguard-proto");
    }

    @Test
    void writesALineAndCountsOnBothSides() throws IOException {
        caller.get("http://payment-service/pay");

        assertThat(caller.line(1))
                .contains("\"response_code\":200", "\"attempts\":1", "\"response_flags\":\"-\"")
                .contains("\"rule\":\"" + Given.ORIGIN + "\"")
                .contains("\"upstream_cluster\":\"" + Given.CLUSTER + "\"");
        assertThat(callee.line(1))
                .contains("\"peer\":\"spiffe://cluster.local/ns/default/sa/checkout\"")
                .contains("\"connection_security_policy\":\"mutual_tls\"", "\"source_workload\":\"checkout-v2-1\"");
        assertThat(caller.metrics())
                .contains("istio_requests_total{reporter=\"source\",source_workload=\"checkout-v2-1\"")
                .contains("istio_request_duration_milliseconds_bucket{reporter=\"source\"");
        assertThat(callee.metrics())
                .containsPattern("istio_requests_total\\{reporter=\"destination\".*source_principal="
                        + "\"spiffe://cluster.local/ns/default/sa/checkout\".*mutual_tls.*} 1");
    }

    @Test
    void continuesATraceAndKeepsARequestId() throws IOException {
        caller.ask("GET", "http://payment-service/", """
            traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r
            x-request-id: mine\r
            x-bodyguard-proto: HTTP/2\r
            x-bodyguard-peer: workload=forged\r
            """, "");

        var headers = app.seen.getFirst().headers();
        assertThat(headers.get("traceparent"))
                .startsWith("00-0af7651916cd43dd8448eb211c80319c-")
                .doesNotContain("b7ad6b7169203331")
                .endsWith("-01");
        assertThat(headers).containsEntry("x-request-id", "mine");
        assertThat(callee.line(1)).doesNotContain("forged");
    }

    @Test
    void triesAGetAgainWhenTheAppFails() throws IOException {
        var count = new AtomicInteger();
        handler = (_, answer) -> answer.send(count.incrementAndGet() < 3 ? 503 : 200, "x");

        assertThat(caller.get("http://payment-service/").status()).isEqualTo(200);
        assertThat(caller.line(1)).contains("\"attempts\":3");
        assertThat(caller.metrics()).containsPattern("bodyguard_upstream_retries_total\\{.*} 2");
    }

    @Test
    void forwardsTheLastAnswerWhenAllAttemptsFail() throws IOException {
        handler = (_, answer) -> answer.send(503, "broken");

        var answer = caller.get("http://payment-service/");

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("broken");
        assertThat(app.seen).hasSize(4);
        assertThat(caller.line(1)).contains("\"attempts\":4", "\"response_flags\":\"URX\"");
    }

    @Test
    void sendsAPostOnlyOnce() throws IOException {
        handler = (_, answer) -> answer.send(503, "broken");

        assertThat(caller.ask("POST", "http://payment-service/", "", "sum=1").status())
                .isEqualTo(503);
        assertThat(app.seen).hasSize(1);
    }

    @Test
    void sendsAPostWithAnIdempotencyKeyAgainWithItsBody() throws IOException {
        var count = new AtomicInteger();
        handler = (_, answer) -> answer.send(count.incrementAndGet() < 3 ? 503 : 200, "x");

        var answer = caller.ask("POST", "http://payment-service/", "idempotency-key: 7\r\n", "sum=1");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(app.seen).extracting(Http1.Message::body).containsExactly("sum=1", "sum=1", "sum=1");
    }

    @Test
    void doesNotRepeatABodyThatIsTooLargeToKeep() throws IOException {
        handler = (_, answer) -> answer.send(503, "broken");

        var answer = caller.ask("PUT", "http://payment-service/", "", "x".repeat(200_000));

        assertThat(answer.status()).isEqualTo(503);
        assertThat(app.seen).hasSize(1);
        assertThat(app.seen.getFirst().length()).isEqualTo(200_000);
    }

    @Test
    void movesToAnotherEndpointWhenOneHangs() throws IOException {
        try (var hanging = new App((_, answer) -> app.hang(answer));
                var other = callee(hanging.port())) {
            caller.config.put(
                    Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort(), other.inboundPort()));
            routes(Given.retrying(3, 150));
            caller.get("http://payment-service/");
            TestSidecar.eventually("both endpoints are in force", () -> endpoints() == 2);

            for (int i = 0; i < 12; i++) {
                assertThat(caller.get("http://payment-service/").status()).isEqualTo(200);
            }
            assertThat(hanging.seen).isNotEmpty();
        }
    }

    @Test
    void refusesWhatThereIsNoRoomForAndServesAfterwards() throws Exception {
        var open = new CountDownLatch(1);
        handler = (_, answer) -> {
            open.await();
            answer.send(200, "paid");
        };
        routes(Given.route(Given.to(Given.CLUSTER)));
        var large = "x-large: " + "x".repeat(6_700) + "\r\n";
        var sockets = new ArrayList<Socket>();
        try {
            for (int i = 0; i < 60; i++) {
                var socket = caller.connect();
                sockets.add(socket);
                socket.getOutputStream().write(TestSidecar.head("GET", "http://payment-service/", large, 0));
            }
            var refused = caller.line(1);
            assertThat(refused)
                    .contains("\"response_flags\":\"UO\"", "\"response_code\":503", "as it has memory for (256 KiB");
            TestSidecar.eventually(
                    "each is refused or with the app", () -> caller.lines() + app.seen.size() == sockets.size());
            assertThat(caller.underWay()).isLessThanOrEqualTo(TestSidecar.ROOM);
            open.countDown();

            int paid = 0;
            for (var socket : sockets) {
                var answer = Http1.need(new BufferedInputStream(socket.getInputStream()), false);
                if (answer.status() == 200) {
                    paid++;
                } else {
                    assertThat(answer.status()).isEqualTo(503);
                    assertThat(answer.headers())
                            .containsEntry("x-bodyguard-flag", "UO")
                            .containsEntry("retry-after", "1");
                }
            }
            assertThat(paid).isBetween(8, TestSidecar.ROOM / (2 * 6_700));
            TestSidecar.eventually("all room is given back", () -> caller.underWay() == 0 && callee.underWay() == 0);
            assertThat(caller.get("http://payment-service/").status()).isEqualTo(200);
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void tellsWhyARuleLeadsNowhereAndOfAnAnswerThatItIsTheRulesOwn() throws IOException {
        var reason = "no DestinationRule defines subset v9";
        routes(Given.answering(503, reason, "leads", "nowhere"));
        caller.config.put(
                Resources.VIRTUAL_HOST,
                "80/closed",
                Given.host("80/closed", Given.answering(503, reason, "leads", "")));

        var refused = caller.get("http://payment-service/");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.headers()).containsEntry("x-bodyguard-flag", "NC");
        assertThat(refused.body()).isEqualTo(reason + "\nrule: " + Given.ORIGIN + "\n");
        assertThat(caller.line(1))
                .contains("\"response_flags\":\"NC\"", "\"sentence\":\"" + reason + "\"", Given.ORIGIN);
        var wanted = caller.get("http://closed/");
        assertThat(wanted.status()).isEqualTo(503);
        assertThat(wanted.headers()).doesNotContainKey("x-bodyguard-flag");
        assertThat(wanted.body()).isEqualTo(reason);
        assertThat(caller.line(2))
                .contains("\"response_flags\":\"-\"")
                .contains("\"sentence\":\"" + Given.ORIGIN + " answers by itself, with 503; no service is asked\"");
    }

    @Test
    void answers504AndStopsTheAppWhenTheRouteTakesTooLong() throws Exception {
        handler = (_, answer) -> app.hang(answer);
        routes(Given.route(Given.to(Given.CLUSTER).setTimeout(Given.millis(900))));

        var answer = caller.get("http://payment-service/");

        assertThat(answer.status()).isEqualTo(504);
        assertThat(answer.headers()).containsEntry("x-bodyguard-flag", "UT");
        assertThat(answer.body()).contains("900 ms", "rule: " + Given.ORIGIN);
        assertThat(app.cancelled.await(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void stopsTheAppWhenTheClientGivesUp() throws Exception {
        handler = (_, answer) -> app.hang(answer);
        try (var socket = caller.connect()) {
            socket.getOutputStream().write(TestSidecar.head("GET", "http://payment-service/", "", 0));
            socket.getOutputStream().flush();
            TestSidecar.eventually("the app was asked", () -> !app.seen.isEmpty());
        }

        assertThat(app.cancelled.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(caller.line(1)).contains("\"response_flags\":\"DC\"");
        assertThat(callee.line(1))
                .contains("\"response_flags\":\"DC\"")
                .contains(
                        "\"sentence\":\"the client gave up before 127.0.0.1:" + app.port() + " had begun to answer\"");
    }

    @Test
    void tellsOfAnAppThatAnswersNothingUntilItDoes() throws IOException {
        handler = (_, answer) -> app.hang(answer);
        for (int i = 1; i <= 3; i++) {
            askAndGiveUp(i);
        }
        assertThat(callee.app.problems()).isEmpty();

        callee.now.updateAndGet(now -> now.plusSeconds(10));
        askAndGiveUp(4);

        TestSidecar.eventually("it is told", () -> !callee.app.problems().isEmpty());
        assertThat(callee.app.problems())
                .singleElement()
                .asString()
                .matches("the app on 127\\.0\\.0\\.1:" + app.port()
                        + " has answered none of the last 4 requests, for (9|10) s .*");
        handler = (_, answer) -> answer.send(404, "no such thing");
        assertThat(caller.get("http://payment-service/").status()).isEqualTo(404);
        assertThat(callee.app.problems()).isEmpty();
    }

    /// As the app's request of that number, of which the callee's sidecar knows in the end that it was given up.
    private void askAndGiveUp(int number) throws IOException {
        try (var socket = caller.connect()) {
            socket.getOutputStream().write(TestSidecar.head("GET", "http://payment-service/", "", 0));
            socket.getOutputStream().flush();
            TestSidecar.eventually("the app was asked", () -> app.seen.size() == number);
        }
        TestSidecar.eventually("it was given up", () -> callee.lines() == number);
    }

    @Test
    void doesNotBlameTheAppForRequestsThatNeverCameToTheirEnd() throws IOException {
        for (int i = 1; i <= 4; i++) {
            int uploads = i;
            callee.now.updateAndGet(now -> now.plusSeconds(10));
            try (var socket = caller.connect()) {
                socket.getOutputStream().write(TestSidecar.head("PUT", "http://payment-service/", "", 10));
                socket.getOutputStream().write("half".getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().flush();
                TestSidecar.eventually("the callee's sidecar has begun to ask", () -> callee.underWay() > 0);
            }
            TestSidecar.eventually("it was given up", () -> callee.lines() == uploads);
        }

        assertThat(callee.app.problems()).isEmpty();
    }

    @Test
    void passesAnUnknownHostThrough() throws IOException {
        try (var elsewhere = new App((_, answer) -> answer.send(200, "elsewhere"))) {
            var answer = caller.get("http://localhost:" + elsewhere.port() + "/x");

            assertThat(answer.body()).isEqualTo("elsewhere");
            assertThat(elsewhere.seen.getFirst().headers()).doesNotContainKeys("x-bodyguard-peer");
        }
        assertThat(caller.line(1)).contains("\"upstream_cluster\":\"PassthroughCluster\"");
    }

    @Test
    void refusesAnUnknownHostWhereThePolicySaysSo() throws IOException {
        caller.config.put(Resources.LISTENER, "outbound", Given.outboundBlockingUnknown());
        caller.get("http://payment-service/");
        TestSidecar.eventually(
                "the policy is in force",
                () -> caller.plan().fallback().toString().contains("Block"));

        var answer = caller.get("http://localhost:9/x");

        assertThat(answer.status()).isEqualTo(502);
        assertThat(answer.body()).contains("only hosts of the mesh");
    }

    @Test
    void followsThePolicyWhenNothingIsSaidAboutAHost() throws IOException {
        caller.config.fallSilentAbout(Resources.VIRTUAL_HOST);
        try (var elsewhere = new App((_, answer) -> answer.send(200, "elsewhere"))) {
            assertThat(caller.get("http://localhost:" + elsewhere.port() + "/").body())
                    .isEqualTo("elsewhere");
        }
    }

    @Test
    void refusesToCallItself() throws IOException {
        assertThat(caller.get("http://localhost:" + caller.outboundPort() + "/").status())
                .isEqualTo(508);
    }

    @Test
    void answers404WhereNoRouteMatches() throws IOException {
        routes(Route.newBuilder()
                .setMatch(io.envoyproxy.envoy.config.route.v3.RouteMatch.newBuilder()
                        .setPrefix("/only"))
                .setRoute(Given.to(Given.CLUSTER))
                .build());

        var answer = caller.get("http://payment-service/other");

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.headers()).containsEntry("x-bodyguard-flag", "NR");
        assertThat(answer.body()).contains("rule: " + Given.ORIGIN);
    }

    @Test
    void answers503WhereThereIsNoEndpointOrNoCluster() throws IOException {
        caller.config.put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed());
        routes(Given.route(Given.to(Given.CLUSTER)));
        var empty = caller.get("http://payment-service/");
        assertThat(empty.status()).isEqualTo(503);
        assertThat(empty.headers()).containsEntry("x-bodyguard-flag", "UH");
        assertThat(empty.body())
                .startsWith(Given.CLUSTER + " has no endpoint now; is a workload of it running and registered?\n");

        caller.config.put(
                Resources.VIRTUAL_HOST,
                "80/nowhere",
                Given.host("80/nowhere", Given.route(Given.to("outbound|80||nowhere"))));
        var missing = caller.get("http://nowhere/");
        assertThat(missing.status()).isEqualTo(503);
        assertThat(missing.headers()).containsEntry("x-bodyguard-flag", "NC");
    }

    @Test
    void tellsAGrpcClientInItsOwnWords() throws IOException {
        caller.config.put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed());
        routes(Given.route(Given.to(Given.CLUSTER)));

        var answer = caller.ask("POST", "http://payment-service/a.B/C", "content-type: application/grpc\r\n", "x");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.headers()).containsEntry("grpc-status", "14");
    }

    @Test
    void namesTheWorkloadWhoseAppDoesNotListen() throws IOException {
        routes(Given.route(Given.to(Given.CLUSTER)));
        app.close();

        var answer = caller.get("http://payment-service/");

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body())
                .contains("workload payment-service-v2-" + callee.inboundPort())
                .contains("does its application listen?");
        assertThat(callee.line(1))
                .contains("the application does not listen on 127.0.0.1:" + app.port())
                .contains("\"response_flags\":\"UF\"");
        assertThat(callee.doubts).hasValue(1);
    }

    @Test
    void takesAPostElsewhereWhenTheAppDoesNotListen() throws IOException {
        try (var closed = ClosedPort.open();
                var other = callee(closed.number())) {
            caller.config.put(
                    Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort(), other.inboundPort()));
            caller.get("http://payment-service/");
            TestSidecar.eventually("both endpoints are in force", () -> endpoints() == 2);

            for (int i = 0; i < 12; i++) {
                assertThat(caller.ask("POST", "http://payment-service/", "", "sum=1")
                                .status())
                        .isEqualTo(200);
            }
            assertThat(other.doubts.get()).isPositive();
            assertThat(app.seen).hasSize(13);
        }
    }

    @Test
    void refusesAHostOfTheMeshWhoseEndpointsAreNotToldWithinASecond() throws IOException {
        caller.config
                .put(
                        Resources.VIRTUAL_HOST,
                        "80/localhost",
                        Given.host("80/localhost", Given.route(Given.to("outbound|80||slow"))))
                .fallSilentAbout(Resources.CLUSTER);
        long from = System.nanoTime();

        var answer = caller.get("http://localhost/");

        assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofMillis(1_900));
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body()).contains("the endpoints of 80/localhost are still on their way");
        assertThat(answer.headers()).containsEntry("retry-after", "1");
    }

    @Test
    void letsNoAppSpeakToClientsUnderTheMeshsOwnHeaderNames() throws IOException {
        handler = (_, answer) -> answer.raw("HTTP/1.1 200 OK\r\nx-bodyguard-flag: UH\r\nx-bodyguard-peer: workload=root"
                + "\r\ncontent-length: 0\r\n\r\n");

        assertThat(caller.get("http://payment-service/").headers().keySet())
                .noneMatch(name -> name.startsWith("x-bodyguard-"));

        try (var elsewhere = new App((request, answer) -> handler.handle(request, answer))) {
            assertThat(caller.get("http://localhost:" + elsewhere.port() + "/")
                            .headers()
                            .keySet())
                    .noneMatch(name -> name.startsWith("x-bodyguard-"));
        }
    }

    @Test
    void refusesPlaintextInbound() throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), callee.inboundPort())) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            assertThat(socket.getInputStream().read()).isLessThan(0);
        }
        TestSidecar.eventually("the reason is told", () -> !callee.refusals.isEmpty());
        assertThat(callee.refusals.getFirst()).startsWith("plaintext: ");
        assertThat(app.seen).isEmpty();
    }

    @Test
    void refusesACallerOfAnotherTrustDomain() throws IOException {
        var theirs = authority("elsewhere.example").svid("checkout");
        // It trusts us, so that it is us who has to refuse.
        var ours = authority.svid("checkout").bundle();

        refuses(
                new Svid(theirs.id(), theirs.key(), theirs.chain(), ours, theirs.issuedAt()),
                "this mesh is trust domain cluster.local");
    }

    @Test
    void refusesACallerWhoseCertificateExpired() throws IOException {
        refuses(authority.expired("checkout"), "expired at");
    }

    @Test
    void refusesAServerThatIsAnotherService() throws IOException {
        caller.config.put(
                Resources.CLUSTER, Given.CLUSTER, Given.cluster("spiffe://cluster.local/ns/default/sa/someone-else"));
        routes(Given.route(Given.to(Given.CLUSTER)));

        var answer = caller.get("http://payment-service/");

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body()).contains("someone-else").contains("sa/payment-service");
        assertThat(app.seen).isEmpty();
    }

    @Test
    void carriesALargeUploadInLittleMemory() throws IOException {
        long size = 96L << 20;
        routes(Given.retrying(3, 0));
        handler = (request, answer) -> answer.send(200, Long.toString(request.length()));
        caller.get("http://payment-service/");
        long before = caller.directMemory() + callee.directMemory();
        long most = 0;
        var block = new byte[1 << 16];
        try (var socket = caller.connect()) {
            var out = socket.getOutputStream();
            out.write(TestSidecar.head("POST", "http://payment-service/", "", size));
            for (long sent = 0; sent < size; sent += block.length) {
                out.write(block);
                most = Math.max(most, caller.directMemory() + callee.directMemory());
            }
            out.flush();
            var answer = Http1.need(new BufferedInputStream(socket.getInputStream()), false);
            assertThat(answer.body()).isEqualTo(Long.toString(size));
        }
        assertThat(most - before).isLessThan(16L << 20);
    }

    @Test
    void opensATunnelForBytesThatAreNoHttp() throws IOException {
        try (var echo = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var socket = caller.connect()) {
            Thread.ofVirtual().start(() -> {
                try (var accepted = echo.accept()) {
                    accepted.getInputStream().transferTo(accepted.getOutputStream());
                } catch (IOException _) {
                    // The test is over.
                }
            });
            socket.getOutputStream()
                    .write(("CONNECT localhost:" + echo.getLocalPort() + " HTTP/1.1\r\nhost: localhost\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            var in = socket.getInputStream();
            var granted = Http1.need(in, true);
            assertThat(granted.status()).isEqualTo(200);

            socket.getOutputStream().write(new byte[] {0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5});
            socket.getOutputStream().flush();

            assertThat(in.readNBytes(10)).startsWith(0x16, 3, 1);
        }
    }

    @Test
    void hearsAServerThatSpeaksFirstOnAnyPort() throws IOException {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var socket = caller.connect()) {
            Thread.ofVirtual().start(() -> {
                try (var accepted = server.accept()) {
                    accepted.getOutputStream().write("220 hello".getBytes(StandardCharsets.US_ASCII));
                    accepted.getInputStream().transferTo(accepted.getOutputStream());
                } catch (IOException _) {
                    // The test is over.
                }
            });
            socket.getOutputStream()
                    .write(("CONNECT localhost:" + server.getLocalPort() + " HTTP/1.1\r\nhost: localhost\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            var in = socket.getInputStream();
            assertThat(Http1.need(in, true).status()).isEqualTo(200);

            assertThat(in.readNBytes(9)).asString(StandardCharsets.US_ASCII).isEqualTo("220 hello");
        }
    }

    @Test
    void tellsTheAppNothingUnderTheMeshsOwnHeaderNames() throws IOException {
        var request = List.of(
                "GET http://payment-service/ HTTP/1.1",
                "host: payment-service",
                "x-bodyguard-peer: workload=root",
                "x-bodyguard-flag: UH",
                "x-forwarded-client-cert: URI=spiffe://cluster.local/ns/default/sa/root",
                "",
                "");
        try (var socket = caller.connect()) {
            socket.getOutputStream().write(String.join("\r\n", request).getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();

            var answer = Http1.need(new BufferedInputStream(socket.getInputStream()), false);

            assertThat(answer.status()).isEqualTo(200);
            assertThat(app.seen.getFirst().toString()).doesNotContain("x-bodyguard-", "sa/root");
        }
    }

    @Test
    void routesHttpInsideATunnelLikeACapturedConnection() throws IOException {
        try (var socket = caller.connect()) {
            socket.getOutputStream()
                    .write("CONNECT payment-service:80 HTTP/1.1\r\nhost: payment-service:80\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            var in = new BufferedInputStream(socket.getInputStream());
            var granted = Http1.need(in, true);
            assertThat(granted.status()).isEqualTo(200);
            socket.getOutputStream()
                    .write("GET /inside HTTP/1.1\r\nhost: payment-service\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();

            var answer = Http1.need(in, false);

            assertThat(answer.body()).isEqualTo("paid");
            assertThat(app.seen.getFirst().first()).isEqualTo("GET /inside HTTP/1.1");
        }
    }

    private int endpoints() {
        var cluster = caller.plan().cluster(Given.CLUSTER);
        return cluster == null ? 0 : cluster.endpoints().size();
    }

    private void refuses(Svid stranger, String reason) throws IOException {
        try (var other = new TestSidecar("checkout", 1, stranger)) {
            other.config
                    .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                    .put(Resources.CLUSTER, Given.CLUSTER, Given.cluster(paymentService()))
                    .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort()))
                    .put(
                            Resources.VIRTUAL_HOST,
                            "80/payment-service",
                            Given.host("80/payment-service", Given.route(Given.to(Given.CLUSTER))));
            other.follow();

            assertThat(other.get("http://payment-service/").status()).isEqualTo(503);
        }
        TestSidecar.eventually("the reason is told", () -> !callee.refusals.isEmpty());
        assertThat(String.join("\n", callee.refusals)).contains(reason);
        assertThat(app.seen).isEmpty();
    }

    private void routes(Route... routes) {
        caller.config.put(Resources.VIRTUAL_HOST, "80/payment-service", Given.host("80/payment-service", routes));
    }

    private TestSidecar callee(int appPort) throws IOException {
        var sidecar = new TestSidecar("payment-service", appPort, authority.svid("payment-service"));
        sidecar.config
                .put(Resources.LISTENER, "inbound", Given.inbound(appPort))
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "inbound|" + appPort + "||", Given.inboundCluster(appPort));
        sidecar.follow();
        TestSidecar.eventually(
                "the app's cluster is known", () -> sidecar.plan().cluster("inbound|" + appPort + "||") != null);
        return sidecar;
    }

    private String paymentService() {
        return authority.id("payment-service").toString();
    }

    private static TestAuthority authority(String trustDomain) {
        try {
            return new TestAuthority(trustDomain);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }
}
