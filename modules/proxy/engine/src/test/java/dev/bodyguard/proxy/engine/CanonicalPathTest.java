package dev.bodyguard.proxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.CanonicalPath.Slashes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CanonicalPathTest {
    private static final CanonicalPath PATHS = new CanonicalPath(true, true, Slashes.UNESCAPED);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/pay/../admin | /admin",
                "//admin | /admin",
                "/%61dmin | /admin",
                "/pay/%2e%2E/admin | /admin",
                "/pay/.%2e/admin | /admin",
                "/pay/./admin | /pay/admin",
                "/pay/. | /pay/",
                "/pay/.. | /",
                "/.. | /",
                "/../../admin | /admin",
                "/pay%2f..%2Fadmin | /admin",
                "/pay\\..\\admin | /admin",
                "/pay%5c..%5Cadmin | /admin",
                "/pay//..//admin | /admin",
                "/// | /",
                "/a// | /a/",
                "/%2561dmin | /%2561dmin",
                "/a%20b/%C3%A9 | /a%20b/%C3%A9",
                "/a...b/..c/.d | /a...b/..c/.d",
                "/a/...;x/a;..%2f | /a/...;x/a;../",
                "/v1/users%3adelete | /v1/users%3adelete",
                "/%61?x=/../%61//y | /a?x=/../%61//y",
                "/a?/../b | /a?/../b",
                "* | *",
                "/ | /",
            })
    void hasOneSpelling(String written, String canonical) {
        assertThat(PATHS.of(written)).isEqualTo(canonical);
        assertThat(PATHS.of(canonical)).as("and keeps it").isEqualTo(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/%",
                "/%4",
                "/%zz",
                "/a%00b",
                "/a#b",
                "/a?b#c",
                "/pay/..;/admin",
                "/pay/.%2e%3Bx/admin",
                "/.;",
                "admin",
                "http://x/admin",
                ""
            })
    void hasNone(String written) {
        assertThat(PATHS.of(written)).isNull();
    }

    @Test
    void isWhatTheConnectionManagerIsToldToMakeOfIt() {
        assertThat(CanonicalPath.AS_IT_CAME.of("//a/../%61#")).isEqualTo("//a/../%61#");
        assertThat(new CanonicalPath(true, false, Slashes.KEPT).of("/a//b/../%2f%61"))
                .isEqualTo("/a//%2fa");
        assertThat(new CanonicalPath(true, false, Slashes.REFUSED).of("/a%2Fb")).isNull();
    }
}
