package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Resources;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a sidecar tells of requests that are none, asked by socket.
@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is sent
class UnreadTest {
    private TestSidecar sidecar;

    @BeforeEach
    void start() throws IOException {
        sidecar = new TestSidecar("checkout", 1, new TestAuthority("cluster.local").svid("checkout"));
        sidecar.config.put(Resources.LISTENER, "outbound", Given.outboundAllowingAny());
        sidecar.follow();
    }

    @AfterEach
    void stop() {
        sidecar.close();
    }

    @Test
    void whatIsNoRequestHasItsLineAndIsCounted() throws IOException {
        assertThat(sent("GET /pay HTTP/1.1\r\nHost: shop\r\nno field\r\n\r\n")).startsWith("HTTP/1.1 400");

        assertThat(sidecar.line(1))
                .contains("\"method\":\"GET\",\"path\":\"/pay\",\"protocol\":\"HTTP/1.1\"")
                .contains("\"response_code\":400,\"response_flags\":\"DPE\"")
                .contains("\"response_code_details\":\"http1.codec_error\"")
                .contains("\"sentence\":\"a field line is folded or does not begin with a name and a colon\"")
                .contains("\"reporter\":\"source\",\"source_workload\":\"checkout-v2-1\"")
                .containsPattern("\"downstream_remote_address\":\"127.0.0.1:[0-9]+\"");
        assertThat(sidecar.metrics())
                .containsPattern("istio_requests_total\\{reporter=\"source\",source_workload=\"checkout-v2-1\""
                        + ".*response_code=\"400\".*response_flags=\"DPE\".*} 1")
                .contains("bodyguard_connections_refused_total{reason=\"unread\"} 1");
    }

    @Test
    void whatSaysNoVersionHasNone() throws IOException {
        sent("nonsense\r\n\r\n");
        assertThat(sidecar.line(1)).contains("\"method\":\"\",\"path\":\"\",\"protocol\":null");

        // Nor has it that of the request before.
        sent("GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: shop\r\n\r\nnonsense\r\n\r\n");
        assertThat(sidecar.line(2) + sidecar.line(3)).contains("\"method\":\"\",\"path\":\"\",\"protocol\":null");
    }

    @Test
    void aHeadThatIsTooLargeIsToldAsSuch() throws IOException {
        assertThat(sent("GET / HTTP/1.1\r\nHost: shop\r\nx: " + "v".repeat(70 << 10) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 431");

        assertThat(sidecar.line(1))
                .contains("\"response_code\":431,\"response_flags\":\"DPE\"")
                .contains("\"response_code_details\":\"http1.headers_too_large\"");
    }

    @Test
    void whatAPeerWroteCannotForgeALine() throws IOException {
        sent("GET /\u001b[2J\"}\u0085{\" HTTP/1.1\r\n\r\n");

        assertThat(sidecar.line(1)).contains("\"path\":\"\"").doesNotContain("\u001b", "\u0085");
        assertThat(sent("GET /\u0085\"}{\" HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 400");
        assertThat(sidecar.line(2)).contains("\"path\":\"/\\u0085\\\"}{\\\"\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "host:99999",
                "host:0",
                "host:",
                "host",
                ":80",
                "host:+80",
                "host:8o",
                "::1:80",
                "a:b:80",
                "[::1:80",
                "[host]:80",
                "host]:80"
            })
    void aTunnelToNowhereIsRefusedBeforeItIsOne(String destination) throws IOException {
        var sentence =
                "CONNECT needs host:port, with [] around an IPv6 address and a port of 1 to 65535, was " + destination;

        assertThat(sent("CONNECT " + destination + " HTTP/1.1\r\nHost: shop\r\n\r\n"))
                .startsWith("HTTP/1.1 400")
                .endsWith(sentence + "\n");

        assertThat(sidecar.line(1))
                .contains("\"method\":\"CONNECT\",\"path\":\"" + destination + "\"")
                .contains("\"response_code\":400,\"response_flags\":\"DPE\"")
                .contains("\"sentence\":\"" + sentence + "\"");
    }

    @Test
    void aRequestThatBreaksInItsBodyIsOneLine() throws IOException {
        try (var silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var answer = sent("POST http://127.0.0.1:" + silent.getLocalPort()
                    + "/ HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");

            assertThat(answer).startsWith("HTTP/1.1 400");
        }
        assertThat(sidecar.line(1))
                .contains("\"method\":\"POST\"", "\"response_code\":400,\"response_flags\":\"DPE\"")
                .contains("\"sentence\":\"a chunk's size is no hexadecimal number\"");
        assertThat(sidecar.lines()).isEqualTo(1);
        assertThat(sidecar.underWay()).isZero();
    }

    @Test
    void whatFollowsARequestThatIsAnsweredTakesNothingOfTheAnswer() throws IOException {
        var answer = sent("POST http://127.0.0.1:1/ HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");

        assertThat(answer).startsWith("HTTP/1.1 503").contains("could not connect to 127.0.0.1:1");
        assertThat(sidecar.line(1)).contains("\"response_flags\":\"UF\"");
        assertThat(sidecar.lines()).isEqualTo(1);
    }

    @Test
    void aFloodOfThemIsCountedAndAFewAreTold() throws IOException {
        for (int i = 0; i < 50; i++) {
            sent("nonsense\r\n\r\n");
        }

        assertThat(sidecar.metrics())
                .containsPattern("istio_requests_total\\{.*response_code=\"400\".*response_flags=\"DPE\".*} 50")
                .contains("bodyguard_connections_refused_total{reason=\"unread\"} 50");
        sidecar.get("http://127.0.0.1:1/last");
        assertThat(sidecar.line(Sparing.WHOLE + 1)).contains("/last");
    }

    private String sent(String bytes) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), sidecar.outboundPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }
}
