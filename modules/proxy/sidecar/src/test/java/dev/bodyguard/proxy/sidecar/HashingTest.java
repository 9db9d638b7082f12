package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.RouteRule.HashInput;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Version;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HashingTest {
    private static final List<HashInput> KEYS =
            List.of(new HashInput.Header("x-user"), new HashInput.Cookie("user"), new HashInput.Query("user"));

    private final Random random = new Random(3);

    @Test
    void oneKeyIsOneHashWhateverElseIsAsked() {
        assertThat(hash("/a", "x-user", "ada")).isEqualTo(hash("/b?c=d", "x-user", "ada"));
        assertThat(hash("/a", "cookie", "a=b; user=ada")).isEqualTo(hash("/b", "cookie", "user=ada"));
        assertThat(hash("/a?user=ada")).isEqualTo(hash("/b?x=y&user=ada"));
        assertThat(List.of(hash("/", "x-user", "ada"), hash("/", "cookie", "user=ada"), hash("/?user=ada")))
                .doesNotHaveDuplicates();
        assertThat(hash("/", "x-user", "ada")).isNotEqualTo(hash("/", "x-user", "bob"));
    }

    @Test
    void aKeyMayBeEmpty() {
        assertThat(hash("/?user=")).isEqualTo(hash("/a?user="));
        assertThat(hash("/", "x-user", "")).isEqualTo(hash("/a", "x-user", ""));
    }

    @Test
    void whoHasNoKeyGoesByChance() {
        assertThat(hash("/")).isNotEqualTo(hash("/"));
        assertThat(hash("/?users=ada", "cookie", "users=ada")).isNotEqualTo(hash("/?users=ada", "cookie", "users=ada"));
    }

    @Test
    void whereNothingIsAKeyNothingIsReckoned() {
        assertThat(Hashing.of(request("/"), peer(1), List.of(), random)).isZero();
    }

    @Test
    void anAddressIsAKeyWithoutItsPort() {
        var source = List.<HashInput>of(new HashInput.SourceAddress());

        assertThat(Hashing.of(request("/"), peer(1), source, random))
                .isEqualTo(Hashing.of(request("/a"), peer(2), source, random));
    }

    private long hash(String path, String... namesAndValues) {
        return Hashing.of(request(path, namesAndValues), peer(1), KEYS, random);
    }

    private static InetSocketAddress peer(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static Request request(String path, String... namesAndValues) {
        var fields = new Fields();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            fields.set(namesAndValues[i], namesAndValues[i + 1]);
        }
        return new Request(Version.HTTP_1_1, "GET", "http", "pay", path, fields);
    }
}
