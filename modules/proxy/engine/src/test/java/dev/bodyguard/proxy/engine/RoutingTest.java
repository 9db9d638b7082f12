package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.get;
import static dev.bodyguard.proxy.engine.Given.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoutingTest {
    private final Resources resources = new Resources(new Loads());

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "prefix: '/'                 | *           | true",
                "prefix: '/a'                           | /ab?x=1   | true",
                "prefix: '/a'                           | /b        | false",
                "path: '/a'                             | /a?x=1    | true",
                "path: '/a'                             | /a/       | false",
                "path: '/A' case_sensitive { value: false } | /a    | true",
                "path_separated_prefix: '/a'            | /a        | true",
                "path_separated_prefix: '/a'            | /a/b      | true",
                "path_separated_prefix: '/a'            | /a?b      | true",
                "path_separated_prefix: '/a'            | /ab       | false",
                "safe_regex { regex: '/a/[0-9]+' }      | /a/12?q=x | true",
                "safe_regex { regex: '/a/[0-9]+' }      | /a/12/b   | false",
                "safe_regex { regex: '/a' }             | /x/a      | false",
                "prefix: '/' query_parameters { name: 'q' string_match { exact: 'x' } } | /?p=1&q=x | true",
                "prefix: '/' query_parameters { name: 'q' string_match { exact: 'x' } } | /?qq=x    | false",
                "prefix: '/' query_parameters { name: 'q' present_match: true }         | /?q       | true",
            })
    void matchesPathsAndQueries(String match, String path, boolean expected) {
        Given.host(resources, "80/pay", "routes { match { " + match + " } direct_response { status: 200 } }");

        assertThat(resources.plan().outbound("80/pay", get(path)) instanceof Routing.Routed)
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            value = {
                "string_match { exact: 'a' }              | a    | true",
                "string_match { exact: 'A' ignore_case: true } | a | true",
                "string_match { exact: 'a' }              | ab   | false",
                "string_match { prefix: 'a' }             | ab   | true",
                "string_match { suffix: 'b' }             | ab   | true",
                "string_match { contains: 'b' }           | abc  | true",
                "string_match { contains: 'abcd' }        | abc  | false",
                "string_match { safe_regex { regex: 'a.c' } } | abc | true",
                "string_match { safe_regex { regex: 'a' } } | abc | false",
                "present_match: true                      | a    | true",
                "present_match: true                      | none | false",
                "present_match: false                     | none | true",
                "present_match: true invert_match: true   | none | true",
                "range_match { start: 1 end: 5 }          | 4    | true",
                "range_match { start: 1 end: 5 }          | 5    | false",
                "range_match { start: 1 end: 5 }          | x    | false",
                "string_match { exact: 'a' } invert_match: true | b | true",
                "string_match { exact: 'a' } invert_match: true | none | false",
                "string_match { exact: 'a' } invert_match: true treat_missing_header_as_empty: true | none | true",
            })
    void matchesHeaders(String matcher, @Nullable String value, boolean expected) {
        Given.host(
                resources,
                "80/pay",
                "routes { match { prefix: '/' headers { name: 'X-User' " + matcher
                        + " } } direct_response { status: 200 } }");
        RequestHead head = value == null ? get("/") : get("/", "x-user", value);

        assertThat(resources.plan().outbound("80/pay", head) instanceof Routing.Routed)
                .isEqualTo(expected);
    }

    @Test
    void theFirstRuleThatMatchesWins() {
        Given.host(resources, "80/pay", """
            routes { name: 'get' match { prefix: '/' headers { name: ':method' string_match { exact: 'GET' } } }
                     direct_response { status: 200 } }
            routes { name: 'rest' match { prefix: '/' } direct_response { status: 201 } }
            routes { name: 'never' match { path: '/x' } direct_response { status: 202 } }
            """);
        Plan plan = resources.plan();

        assertThat(name(plan.outbound("80/pay", get("/x")))).isEqualTo("get");
        assertThat(name(plan.outbound("80/pay", request("POST", "/x")))).isEqualTo("rest");
    }

    @Test
    void whateverTheOrderOfRulesTheFirstMatchingOneAnswers() {
        var random = new Random(11);
        for (int round = 0; round < 50; round++) {
            var prefixes = new ArrayList<>(List.of("/", "/a", "/a/b", "/a/b/c", "/d"));
            Collections.shuffle(prefixes, random);
            var text = new StringBuilder();
            prefixes.forEach(p -> text.append(
                    "routes { name: '" + p + "' match { prefix: '" + p + "' } direct_response { status: 200 } } "));
            Given.host(resources, "80/pay", text.toString());
            Plan plan = resources.plan();

            for (String path : List.of("/", "/a", "/a/b/x", "/a/b/c/d", "/d", "/e")) {
                String first =
                        prefixes.stream().filter(path::startsWith).findFirst().orElseThrow();
                assertThat(name(plan.outbound("80/pay", get(path)))).isEqualTo(first);
            }
        }
    }

    @Test
    void aRuleCarriesItsOriginTimeoutRetriesAndRewrite() {
        Given.host(resources, "80/pay", """
            metadata { filter_metadata { key: 'dev.bodyguard' value { fields { key: 'origin'
                value { string_value: 'Service default/pay' } } } } }
            routes {
              match { path_separated_prefix: '/api' }
              route { cluster: 'v2' timeout { seconds: 3 } prefix_rewrite: '/' host_rewrite_literal: 'other'
                retry_policy { retry_on: '5xx,connect-failure,reset,new-word' num_retries { value: 3 }
                  per_try_timeout { seconds: 2 }
                  retry_back_off { base_interval { nanos: 25000000 } max_interval { nanos: 250000000 } }
                  retry_host_predicate { name: 'envoy.retry_host_predicates.previous_hosts' } } }
              metadata { filter_metadata { key: 'dev.bodyguard' value { fields { key: 'origin'
                value { string_value: 'VirtualService default/pay spec.http[0] (p.yaml:1:2)' } } } } }
              request_headers_to_add { header { key: 'X-A' value: '100%%' } append_action: ADD_IF_ABSENT }
              request_headers_to_remove: 'X-B'
            }
            """);
        resources.force("80/pay");

        var rule = ((Routing.Routed) resources.plan().outbound("80/pay", get("/api/x?y"))).rule();
        var forward = (RouteRule.Forward) rule.action();

        assertThat(rule.origin()).isEqualTo("VirtualService default/pay spec.http[0] (p.yaml:1:2)");
        assertThat(forward.timeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(forward.retries().on())
                .containsExactlyInAnyOrder(RetryOn.SERVER_ERROR, RetryOn.CONNECT_FAILURE, RetryOn.RESET);
        assertThat(forward.retries().retries()).isEqualTo(3);
        assertThat(forward.retries().perTryTimeout()).isEqualTo(Duration.ofSeconds(2));
        assertThat(forward.retries().avoidTried()).isTrue();
        assertThat(forward.rewrite().path("/api/x?y")).isEqualTo("/x?y");
        assertThat(forward.rewrite().path("/api")).isEqualTo("/");
        assertThat(forward.rewrite().host()).isEqualTo("other");
        assertThat(rule.request().remove()).containsExactly("x-b");
        assertThat(rule.request().put())
                .containsExactly(new HeaderChanges.Put("x-a", "100%", HeaderChanges.How.ADD_IF_ABSENT));
        assertThat(resources.plan().outbound("80/pay", get("/apix")))
                .isEqualTo(new Routing.NoRoute("80/pay", "Service default/pay"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "^/.*$            | /one          | /a/b?x=1 | /one?x=1",
                "^/.*$            | /100$         | /a       | /100$",
                "^/(\\w+)/(\\w+)$ | /\\\\2/\\\\1      | /a/b?x   | /b/a?x",
            })
    void rewritesPathsByExpression(String pattern, String substitution, String asked, String sent) {
        Given.host(
                resources,
                "80/pay",
                "routes { match { prefix: '/' } route { cluster: 'v2' regex_rewrite { pattern { regex: '"
                        + pattern.replace("\\", "\\\\") + "' } substitution: '" + substitution + "' } } }");
        resources.force("80/pay");

        var rule = ((Routing.Routed) resources.plan().outbound("80/pay", get(asked))).rule();

        assertThat(((RouteRule.Forward) rule.action()).rewrite().path(asked)).isEqualTo(sent);
    }

    @Test
    void sharesConvergeToWeights() {
        Given.host(resources, "80/pay", """
            routes { match { prefix: '/' } route { weighted_clusters {
              clusters { name: 'a' weight { value: 90 } }
              clusters { name: 'b' weight { value: 10 } }
              clusters { name: 'none' weight { value: 0 } } } } }
            """);
        resources.force("80/pay");
        var rule = ((Routing.Routed) resources.plan().outbound("80/pay", get("/"))).rule();
        var split = ((RouteRule.Forward) rule.action()).split();
        var random = new Random(7);
        int[] drawn = new int[3];

        for (int i = 0; i < 100_000; i++) {
            switch (split.draw(random).cluster()) {
                case "a" -> drawn[0]++;
                case "b" -> drawn[1]++;
                default -> drawn[2]++;
            }
        }

        assertThat(drawn[0]).isBetween(89_500, 90_500);
        assertThat(drawn[1]).isBetween(9_500, 10_500);
        assertThat(drawn[2]).isZero();
    }

    @Test
    void redirectsKeepWhatTheyDoNotName() {
        Given.host(resources, "80/pay", """
            routes { match { path_separated_prefix: '/old' }
              redirect { prefix_rewrite: '/new' https_redirect: true response_code: FOUND } }
            """);
        var rule = ((Routing.Routed) resources.plan().outbound("80/pay", get("/old/x?y=1"))).rule();
        var redirect = (RouteRule.Redirect) rule.action();

        assertThat(redirect.status()).isEqualTo(302);
        assertThat(redirect.location(get("/old/x?y=1"))).isEqualTo("https://pay/new/x?y=1");
    }

    @Test
    void faultsOfARouteAreRead() {
        Given.host(resources, "80/pay", """
            routes { match { prefix: '/' } direct_response { status: 200 }
              typed_per_filter_config { key: 'envoy.filters.http.fault' value {
                [type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault] {
                  abort { http_status: 418 percentage { numerator: 50 } } } } } }
            """);
        var fault = ((Routing.Routed) resources.plan().outbound("80/pay", get("/")))
                .rule()
                .fault();

        assertThat(fault).isEqualTo(new RouteRule.Fault(Duration.ZERO, 0, 418, 50));
    }

    private static String name(Routing routing) {
        return ((Routing.Routed) routing).rule().name();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            value = {
                "name: 'lb'                                     | none",
                "name: 'lb' ttl { }                             | ; HttpOnly",
                "name: 'lb' ttl { nanos: 5000000 } path: '/a'   | ; Path=/a; HttpOnly",
                "name: 'lb' ttl { seconds: 60 } attributes { name: 'SameSite' value: 'Lax' } attributes { name: 'Secure' }"
                        + " | ; Max-Age=60; SameSite=Lax; Secure; HttpOnly",
                "name: 'lb' path: '/a'                          | none",
            })
    void aCookieIsMadeAsEnvoyMakesIt(String cookie, @Nullable String attributes) {
        Given.host(
                resources,
                "80/pay",
                "routes { match { prefix: '/' } route { cluster: 'c' hash_policy { cookie { " + cookie + " } } } }");

        assertThat(hash()).containsExactly(new RouteRule.HashInput.Cookie("lb", attributes));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cookie { name: '' }                     | cookie.name: must be a cookie",
                "cookie { name: 'a b' }                  | cookie.name: must be a cookie",
                "cookie { name: 'a=b' }                  | cookie.name: must be a cookie",
                "cookie { name: 'a;b' }                  | cookie.name: must be printable",
                "cookie { name: 'a' ttl { seconds: -1 } } | cookie.ttl: must be a duration of 0 or more",
                "cookie { name: 'a' ttl { } path: '/\\r\\nx: y' } | cookie.path: must be printable",
                "cookie { name: 'a' ttl { } attributes { name: 'a;b' } } | cookie.attributes[0].name: must be printable",
                "cookie { name: 'a' ttl { } attributes { name: 'a' value: '\\n' } }"
                        + " | cookie.attributes[0].value: must be printable",
                "filter_state { key: 'a' }               | hash_policy[0]: must be a header",
            })
    void whatWouldBreakACookieIsRefused(String policy, String why) {
        var rejected = Given.host(
                resources,
                "80/pay",
                "routes { match { prefix: '/' } route { cluster: 'c' hash_policy { " + policy + " } } }");

        assertThat(rejected).singleElement().asString().contains(why);
    }

    @Test
    void anAddressThatIsNotToBeHashedIsNot() {
        Given.host(
                resources,
                "80/pay",
                "routes { match { prefix: '/' } route { cluster: 'c' hash_policy { connection_properties { } }"
                        + " hash_policy { connection_properties { source_ip: true } } } }");

        assertThat(hash()).containsExactly(new RouteRule.HashInput.SourceAddress());
    }

    private List<RouteRule.HashInput> hash() {
        resources.force("80/pay");
        return resources.plan().outbound("80/pay", get("/")) instanceof Routing.Routed(var rule)
                        && rule.action() instanceof RouteRule.Forward forward
                ? forward.hash()
                : List.of();
    }
}
