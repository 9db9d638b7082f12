package dev.bodyguard.identity.spiffe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpiffeIdTest {
    @Test
    void namesAServiceAccount() {
        var id = SpiffeId.ofServiceAccount("cluster.local", "default", "payment-service");

        assertThat(id).hasToString("spiffe://cluster.local/ns/default/sa/payment-service");
        assertThat(id.namespace()).isEqualTo("default");
        assertThat(id.serviceAccount()).isEqualTo("payment-service");
        assertThat(id.principal()).isEqualTo("cluster.local/ns/default/sa/payment-service");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spiffe://cluster.local",
                "spiffe://my_td-1.example/a",
                "spiffe://td/ns/default/sa/checkout",
                "spiffe://td/A.b_c-d/...",
                "spiffe://1.2.3.4/x"
            })
    void printsWhatItRead(String text) {
        assertThat(SpiffeId.parse(text)).hasToString(text);
    }

    @Test
    void hasNoServiceAccountInAnotherSchemeOfPaths() {
        var id = SpiffeId.parse("spiffe://td/ns/default/sa/checkout/more");

        assertThat(id.namespace()).isNull();
        assertThat(id.serviceAccount()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "spiffe:",
                "spiffe:/td/x",
                "spiffe://",
                "spiffe:///ns/default",
                "SPIFFE://td/x",
                "https://td/x",
                " spiffe://td/x",
                "spiffe://td/x ",
                "spiffe://td/",
                "spiffe://td//x",
                "spiffe://td/x/",
                "spiffe://td/./x",
                "spiffe://td/a/../b",
                "spiffe://td/%2e%2e/x",
                "spiffe://td/a%2fb",
                "spiffe://td/a?b",
                "spiffe://td?x",
                "spiffe://td#x",
                "spiffe://td/a#b",
                "spiffe://TD/x",
                "spiffe://user@td/x",
                "spiffe://td:443/x",
                "spiffe://[::1]/x",
                "spiffe://t\u0434/x",
                "spiffe://td/ns/d\u0435fault",
                "spiffe://td/a\u0000b",
                "spiffe://td/a\nb",
                "spiffe://td/a\\b",
                "spiffe://td/ns/*/sa/x"
            })
    void refusesWhatTheSpecificationDoesNotAllow(String text) {
        assertThatThrownBy(() -> SpiffeId.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .doesNotContain("\n", "\u0000");
    }

    @Test
    void refusesWhatIsTooLong() {
        assertThatThrownBy(() -> SpiffeId.parse("spiffe://" + "a".repeat(256) + "/x"))
                .hasMessageContaining("at most 255");
        assertThatThrownBy(() -> SpiffeId.parse("spiffe://td/" + "a".repeat(2048)))
                .hasMessageContaining("at most 2048");
    }

    @Test
    void doesNotLetANamespaceReachIntoTheRestOfThePath() {
        assertThatThrownBy(() -> SpiffeId.ofServiceAccount("td", "default/sa/admin", "x"))
                .hasMessageContaining("namespace must be one path segment");
        assertThatThrownBy(() -> SpiffeId.ofServiceAccount("td", "default", ""))
                .hasMessageContaining("service account must be one path segment");
    }
}
