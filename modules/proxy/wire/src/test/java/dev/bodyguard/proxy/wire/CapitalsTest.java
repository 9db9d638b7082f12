package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.wire.Http1Bytes.Framing;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CapitalsTest {
    private static final String HEAD =
            "GET / HTTP/1.1\r\nHost: shop\r\nx-small: 1\r\nX-CamelCase: 2\r\nX-ALL: 3\r\n\r\n";

    @Test
    void writesNamesAsTheyCame() {
        var request = read(HEAD);
        request.fields().set("x-all", "4").add("x-ours", "5");

        assertThat(written(request.copy()))
                .endsWith("\r\nx-small: 1\r\nX-CamelCase: 2\r\nX-ALL: 4\r\nx-ours: 5\r\n\r\n");
    }

    @Test
    void writesNamesAsSomebodyElseReadThem() {
        var names = read(HEAD).fields().spelling();
        assertThat(names).isEqualTo("X-CamelCase,X-ALL");

        var request = new Request(
                Version.HTTP_2,
                "GET",
                "http",
                "shop",
                "/",
                Fields.of("x-all", "3", "x-camelcase", "2", "x-small", "1"));
        request.fields().spelt(names);

        assertThat(written(request)).endsWith("\r\nX-ALL: 3\r\nX-CamelCase: 2\r\nx-small: 1\r\n\r\n");
    }

    @Test
    void hasNothingToTellOfNamesInLowercase() {
        assertThat(read("GET / HTTP/1.1\r\nhost: shop\r\naccept: a\r\n\r\n")
                        .fields()
                        .spelling())
                .isEmpty();
        assertThat(Fields.of("accept", "a").spelling()).isEmpty();
    }

    /// Whoever tells cannot say more than names.
    @Test
    void writesNothingThatIsNoName() {
        var fields = Fields.of("x-a", "1").spelt("X-A\r\nX-Evil: 1,,X A, X-A,x-A:");

        assertThat(written(new Request(Version.HTTP_2, "GET", "http", "shop", "/", fields)))
                .endsWith("\r\nx-a: 1\r\n\r\n");
    }

    private static Request read(String head) {
        var parser = Http1Parser.ofRequests(Limits.DEFAULTS);
        var in = Unpooled.copiedBuffer(head, StandardCharsets.ISO_8859_1);
        assertThat(parser.next(in)).isEqualTo(Http1Parser.Found.HEAD);
        in.release();
        return new Request(parser.version(), parser.method(), "http", "shop", parser.target(), parser.fields());
    }

    private static String written(Request request) {
        var out = Http1Bytes.request(ByteBufAllocator.DEFAULT, request, Framing.NONE);
        var text = out.toString(StandardCharsets.ISO_8859_1);
        out.release();
        return text;
    }
}
