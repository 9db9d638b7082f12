package dev.bodyguard.proxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.RouteRule.HashInput;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;

class HashingTest {
    private static final List<HashInput> KEYS =
            List.of(new HashInput.Header("x-user"), new HashInput.Cookie("user", null), new HashInput.Query("user"));
    private static final List<HashInput> STICKY =
            List.of(new HashInput.Cookie("lb", "; Max-Age=60; Path=/pay; HttpOnly"));

    private long fresh = 3;

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
    void aCookieMayBeInQuotesAndBlanksAndHasAValue() {
        long ada = hash("/", "cookie", "user=ada");

        assertThat(hash("/", "cookie", "user=\"ada\"")).isEqualTo(ada);
        assertThat(hash("/", "cookie", " a=b ;\tuser=ada ;c")).isEqualTo(ada);
        assertThat(hash("/", "cookie", "xuser=bob, user=ada; user=eve")).isEqualTo(ada);
        for (var none : List.of("user=", "user=\"\"", "user", "user=;", ";;;", "", "=", "users=ada", "USER=ada")) {
            assertThat(hash("/", "cookie", none)).as(none).isNotEqualTo(hash("/", "cookie", none));
        }
        assertThat(hash("/", "cookie", "user=\"")).isEqualTo(hash("/", "cookie", "user=\""));
    }

    @Test
    void whoHasNoKeyGoesByChance() {
        assertThat(hash("/")).isNotEqualTo(hash("/"));
        assertThat(hash("/?users=ada", "cookie", "users=ada")).isNotEqualTo(hash("/?users=ada", "cookie", "users=ada"));
        for (var none : List.of("/?", "/?&&", "/?user", "/?user&x=user=ada", "/user=ada", "*")) {
            assertThat(hash(none)).as(none).isNotEqualTo(hash(none));
        }
    }

    @Test
    void anAddressIsAKeyWithoutItsPort() throws UnknownHostException {
        var source = List.<HashInput>of(new HashInput.SourceAddress());
        var other = new InetSocketAddress(InetAddress.getByName("10.0.0.2"), 1);

        assertThat(Hashing.of(Given.get("/"), peer(1), source, 7))
                .isEqualTo(Hashing.of(Given.get("/a"), peer(2), source, 8))
                .isEqualTo(Hashing.of(peer(3)))
                .isNotEqualTo(Hashing.of(other));
    }

    @Test
    void aMadeCookieLeadsWhereItsFirstRequestWent() {
        var first = Given.get("/");

        var made = Hashing.cookies(first, STICKY, 0xabcL).put();

        assertThat(made)
                .containsExactly(new HeaderChanges.Put(
                        "set-cookie",
                        "lb=\"0000000000000abc\"; Max-Age=60; Path=/pay; HttpOnly",
                        HeaderChanges.How.APPEND));
        for (var sent : List.of("lb=0000000000000abc", "a=b; lb=\"0000000000000abc\"")) {
            var next = Given.get("/", "cookie", sent);
            assertThat(Hashing.of(next, peer(1), STICKY, 5)).isEqualTo(Hashing.of(first, peer(1), STICKY, 0xabcL));
            assertThat(Hashing.cookies(next, STICKY, 5).isEmpty()).isTrue();
        }
        assertThat(Hashing.cookies(Given.get("/", "cookie", "lb="), STICKY, 5).put())
                .hasSize(1);
        assertThat(Hashing.cookies(first, KEYS, 5).isEmpty()).isTrue();
    }

    private long hash(String path, String... namesAndValues) {
        return Hashing.of(Given.get(path, namesAndValues), peer(1), KEYS, fresh++);
    }

    private static InetSocketAddress peer(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }
}
