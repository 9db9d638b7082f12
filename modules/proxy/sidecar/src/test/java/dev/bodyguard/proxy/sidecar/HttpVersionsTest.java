package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.proxy.wire.Fields;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// HTTP/2 callers of an app that speaks HTTP/1.1 only, through both sidecars.
class HttpVersionsTest {
    private final TestAuthority authority = authority();
    private final AtomicInteger prefaces = new AtomicInteger();
    /// What the app says to HTTP/2's preface; hangs up where that is nothing.
    private volatile String toPreface = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    private App app;
    private TestSidecar callee;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        app = new App(this::answer);
        callee = new TestSidecar("payment-service", app.port(), authority.svid("payment-service"));
        callee.config
                .put(Resources.LISTENER, "inbound", Given.inbound(app.port()))
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "inbound|" + app.port() + "||", Given.inboundCluster(app.port()));
        callee.follow();
        TestSidecar.eventually(
                "the app's cluster is known", () -> callee.plan().cluster("inbound|" + app.port() + "||") != null);
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(
                        Resources.CLUSTER,
                        Given.CLUSTER,
                        Given.cluster(authority.id("payment-service").toString()))
                .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort()))
                .put(
                        Resources.VIRTUAL_HOST,
                        "80/payment-service",
                        Given.host("80/payment-service", Given.route(Given.to(Given.CLUSTER))));
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        callee.close();
        app.close();
    }

    @Test
    void areSpokenForInHttp1() throws IOException {
        var answer = post("sum=1");
        var second = post("sum=2");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("POST /pay HTTP/1.1 sum=1");
        assertThat(second.body()).isEqualTo("POST /pay HTTP/1.1 sum=2");
        assertThat(prefaces).as("it is found out once").hasValue(1);
        assertThat(app.seen.getLast().headers())
                .containsEntry("host", "payment-service")
                .doesNotContainKey("te");
        assertThat(callee.line(1)).contains("\"response_code\":200", "\"response_flags\":\"-\"");
        assertThat(callee.doubts).as("nobody doubts that the app listens").hasValue(0);
    }

    @Test
    void areSpokenForInHttp1ToAnAppThatHangsUpOnThem() throws IOException {
        toPreface = "";

        assertThat(post("sum=1").body()).isEqualTo("POST /pay HTTP/1.1 sum=1");
        assertThat(callee.doubts).hasValue(0);
    }

    @Test
    void findOutAnewAfterAWhile() throws IOException {
        post("sum=1");
        callee.clock.addAndGet(AppSpeech.BELIEVED.toNanos() - 1);
        post("sum=1");
        assertThat(prefaces).hasValue(1);

        callee.clock.addAndGet(Duration.ofNanos(1).toNanos());

        assertThat(post("sum=1").status()).isEqualTo(200);
        assertThat(prefaces).hasValue(2);
    }

    @Test
    void areToldInGrpcsWordsWhereOnlyHttp2WillDo() throws IOException {
        for (var said : new String[] {toPreface, "<html>what?</html>", ""}) {
            toPreface = said;

            var answer = caller.http2(
                    "POST",
                    "payment-service",
                    "/pay.Pay/Charge",
                    Fields.of("content-type", "application/grpc", "te", "trailers"),
                    "\0\0\0\0\0");

            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("grpc-status")).as("UNIMPLEMENTED").isEqualTo("12");
            assertThat(answer.header("grpc-message")).contains("the request is HTTP/2, which 127.0.0.1:" + app.port());
        }
        assertThat(app.seen).noneMatch(request -> request.first().startsWith("POST"));
    }

    private Http2Answer post(String body) {
        return caller.http2("POST", "payment-service", "/pay", Fields.of("te", "trailers"), body);
    }

    private void answer(Http1.Message request, App.Answer to) throws IOException {
        if (request.method().equals("PRI")) {
            prefaces.incrementAndGet();
            to.raw(toPreface);
            // What it has not read would turn the end into a reset, which may overtake the answer.
            to.socket().shutdownOutput();
            to.socket().getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
            to.socket().close();
        } else {
            to.send(200, request.first() + " " + request.body());
        }
    }

    private static TestAuthority authority() {
        try {
            return new TestAuthority("cluster.local");
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }
}
