package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpellingTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "/v1/users%3Adelete | /v1/users:delete",
                "/v1/users%3adelete | /v1/users:delete",
                "/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40 | /!$&'()*+,;=:@",
                "/%61%2D%2e%5F%7e | /a-._~",
                "/a%20b/%c3%a9 | /a%20b/%C3%A9",
                "/a%2fb%5cc | /a%2Fb%5Cc",
                "/a%253Ab | /a%253Ab",
                "/a%25%33Ab | /a%253Ab",
                "/a%3fb%23c | /a%3Fb%23c",
                "/{id}^<> | /%7Bid%7D%5E%3C%3E",
                "/caf\u00c3\u00a9 | /caf%C3%A9",
                "/a%3Ab?x=%3A%3a | /a:b?x=%3A%3a",
                "/a%zz% | /a%zz%",
                "/pay/a.b_c~d-e | /pay/a.b_c~d-e",
                "* | *",
            })
    void isOneForAllThatAServerReadsAsOnePath(String written, String spelled) {
        assertThat(Spelling.ofPath(written)).isEqualTo(spelled);
        assertThat(Spelling.ofPath(spelled)).as("and stays").isEqualTo(spelled);
    }

    @Test
    void isTheSameHoweverMuchOfAPathIsEscaped() {
        var random = new Random(7);
        var letters = "abz09-._~!$&'()*+,;=:@\"<>^`{|}[]\u00e9 %/";
        for (int round = 0; round < 2_000; round++) {
            var plain = new StringBuilder("/");
            var written = new StringBuilder("/");
            for (int i = 0; i < 8; i++) {
                char c = letters.charAt(random.nextInt(letters.length()));
                boolean upper = random.nextBoolean();
                var escape = (upper ? "%%%02X" : "%%%02x").formatted((int) c);
                // A bare percent sign is no character of a path, and an escaped slash is no slash.
                plain.append(c == '%' ? "%25" : String.valueOf(c));
                written.append(c != '/' && (c == '%' || random.nextBoolean()) ? escape : String.valueOf(c));
            }
            assertThat(Spelling.ofPath(written.toString()))
                    .as("seed 7, round %d: %s", round, written)
                    .isEqualTo(Spelling.ofPath(plain.toString()));
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "exact, /v1/users:delete, /v1/users%3Adelete",
                "exact, /v1/users%3adelete, /v1/users:delete",
                "exact, /v1/users%3adelete, /v1/users%3Adelete",
                "exact, /a*, /a%2a",
                "exact, /café, /caf%c3%a9",
                "prefix, /v1/users:, /v1/users%3Adelete",
                "prefix, /v1/users%3A, /v1/users:delete",
                "suffix, :delete, /v1/users%3adelete?x",
                "suffix, %3adelete, /v1/users:delete",
                "contains, @%3A, /a%40:b",
            })
    void bringsARuleAndARequestTogether(String kind, String rule, String path) throws Invalid {
        var text = StringMatcher.newBuilder();
        switch (kind) {
            case "exact" -> text.setExact(rule);
            case "prefix" -> text.setPrefix(rule);
            case "suffix" -> text.setSuffix(rule);
            default -> text.setContains(rule);
        }

        var matches = Matching.path(PathMatcher.newBuilder().setPath(text).build(), "url_path");

        assertThat(matches.test(Spelling.of(get(path)))).isTrue();
        assertThat(matches.test(Spelling.of(get("/v1/users")))).isFalse();
    }

    @Test
    void leavesARequestThatHasItAlone() {
        var head = get("/pay?x=%3A");

        assertThat(Spelling.of(head)).isSameAs(head);
    }
}
