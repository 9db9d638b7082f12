package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is read
class Http1ParserTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\nHost: a\n\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n",
                "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
                "GET /\r\nHost: a\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
                "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n"
            })
    void refusesWhatTwoParsersCouldReadDifferently(String message) {
        assertThatExceptionOfType(Malformed.class).isThrownBy(() -> parse(message, message.length()));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1000})
    void findsTheSameMessagesHoweverTheBytesArrive(int step) {
        var found = parse(
                "\r\n"
                        + "POST /a HTTP/1.1\r\n"
                        + "Host: a\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n"
                        + "3;q=1\r\n"
                        + "abc\r\n"
                        + "A\r\n"
                        + "0123456789\r\n"
                        + "0\r\n"
                        + "X-T: 1\r\n\r\n"
                        + "GET /b HTTP/1.0\r\n"
                        + "X-Y:  z \r\n\r\n"
                        + "PUT /c HTTP/1.1\r\n"
                        + "Host:b\r\n"
                        + "content-length: 4\r\n\r\n"
                        + "body",
                step);

        assertThat(String.join("|", found))
                .isEqualTo("POST /a|abc0123456789|Fields[x-t]|GET /b Fields[x-y]|PUT /c Fields[content-length]|body."
                        .replace("POST /a|", "POST /a Fields[]|"));
    }

    @Test
    void answersTooLongALineBeforeItEnds() {
        assertThatExceptionOfType(Malformed.class)
                .isThrownBy(() -> parse("GET /" + "a".repeat(20_000), 1000))
                .matches(malformed -> malformed.status() == 414);
    }

    @ParameterizedTest
    @ValueSource(strings = {"OPTIONS rtsp://a/b RTSP/1.0\r\n\r\n", "INVALID CONNECTION PREFACE\r\n\r\n"})
    void hasNoAnswerForWhatIsNoHttpAtAll(String message) {
        assertThatExceptionOfType(Malformed.class)
                .isThrownBy(() -> parse(message, message.length()))
                .matches(malformed -> malformed.status() == 0);
    }

    private static List<String> parse(String message, int step) {
        var parser = Http1Parser.ofRequests(Limits.DEFAULTS);
        var in = Unpooled.buffer();
        var found = new ArrayList<String>();
        var body = new StringBuilder();
        var bytes = message.getBytes(StandardCharsets.ISO_8859_1);
        for (int i = 0; i < bytes.length; i += step) {
            in.writeBytes(bytes, i, Math.min(step, bytes.length - i));
            for (var next = parser.next(in); next != Http1Parser.Found.MORE; next = parser.next(in)) {
                switch (next) {
                    case HEAD -> found.add(parser.method() + " " + parser.target() + " " + parser.fields());
                    case CHUNK -> {
                        var chunk = parser.takeChunk();
                        body.append(chunk.toString(StandardCharsets.ISO_8859_1));
                        chunk.release();
                        if (parser.last()) {
                            found.add(body + ".");
                            body.setLength(0);
                        }
                    }
                    case TRAILERS -> {
                        found.add(body.toString());
                        body.setLength(0);
                        found.add(parser.fields().toString());
                    }
                    case MORE -> throw new AssertionError();
                }
            }
        }
        return found;
    }
}
