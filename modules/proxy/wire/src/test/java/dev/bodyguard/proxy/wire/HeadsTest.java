package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HeadsTest {
    @Test
    void aRequestIsWhatItSays() {
        var request = Heads.request(head("GET", "/pay?a=%20b"));

        assertThat(request.method()).isEqualTo("GET");
        assertThat(request.path()).isEqualTo("/pay?a=%20b");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GET /admin HTTP/1.1", "GET\t", "GE\u007fT", "GÉT"})
    void aMethodIsAToken(String method) {
        assertThatThrownBy(() -> Heads.request(head(method, "/public"))).isInstanceOf(Malformed.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a b", "/admin HTTP/1.1 /public", "/a\tb", "/a\u0000", "/a\u007f"})
    void aPathHoldsNoBlank(String path) {
        assertThatThrownBy(() -> Heads.request(head("GET", path)))
                .isInstanceOf(Malformed.class)
                .hasMessageContaining("blank");
    }

    private static Http2Headers head(String method, String path) {
        return new DefaultHttp2Headers(false)
                .method(method)
                .path(path)
                .scheme("http")
                .authority("shop");
    }
}
