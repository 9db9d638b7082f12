package dev.bodyguard.telemetry.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.helidon.webserver.WebServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The page's files on a real port, as a browser would ask for them. What they do there is conformance/dashboard's.
class DashboardTest {
    private static final Pattern LINK = Pattern.compile("(?:src|href)=\"([^\"]+)\"");
    private static final Pattern IMPORT = Pattern.compile("(?:from|import)\\s*[\"'](\\.{1,2}/[^\"']+)[\"']");

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static WebServer server;

    @BeforeAll
    static void start() {
        server = WebServer.builder()
                .host("127.0.0.1")
                .port(0)
                .shutdownHook(false)
                .routing(routes -> {
                    routes.get("/metrics", (_, response) -> response.send("up 1\n"));
                    Dashboard.add(routes);
                })
                .build()
                .start();
    }

    @AfterAll
    static void stop() {
        server.stop();
        HTTP.close();
    }

    @Test
    void servesThePageAndWhateverItNeeds() throws Exception {
        var toLoad = new ArrayDeque<URI>();
        Set<URI> loaded = new LinkedHashSet<>();
        toLoad.add(at("/"));
        while (!toLoad.isEmpty()) {
            var uri = toLoad.pop();
            if (!loaded.add(uri) || uri.getPath().startsWith("/api/")) {
                continue;
            }

            var answer = get(uri);

            assertThat(answer.statusCode()).as("%s", uri).isEqualTo(200);
            assertThat(uri.getAuthority()).as("host of %s", uri).isEqualTo(at("/").getAuthority());
            (uri.getPath().endsWith(".js") ? IMPORT : LINK)
                    .matcher(answer.body())
                    .results()
                    .forEach(match -> toLoad.add(uri.resolve(match.group(1))));
        }
        assertThat(loaded)
                .extracting(URI::getPath)
                .contains("/dashboard.css", "/dashboard.js", "/summary.js")
                .contains("/webjars/lit-html/lit-html.js", "/webjars/dagre/dist/dagre.min.js");
    }

    @ParameterizedTest
    @CsvSource({
        "/, text/html",
        "/dashboard.js, text/javascript",
        "/webjars/lit-html/lit-html.js, text/javascript",
        "/dashboard.css, text/css",
        "/favicon.svg, image/svg+xml"
    })
    void saysWhatAFileIs(String path, String type) throws Exception {
        var answer = get(at(path));

        assertThat(answer.headers().firstValue("content-type"))
                .get()
                .asString()
                .startsWith(type.replace("text/javascript", ""))
                .matches(found -> !type.equals("text/javascript") || found.contains("javascript"), "a script");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/dashboard.js", "/metrics", "/nothing"})
    void letsABrowserTakeNothingFromElsewhere(String path) throws Exception {
        var headers = get(at(path)).headers();

        assertThat(headers.firstValue("content-security-policy"))
                .get()
                .asString()
                .startsWith("default-src 'self';")
                .contains("frame-ancestors 'none'")
                .doesNotContain("unsafe");
        assertThat(headers.firstValue("x-content-type-options")).contains("nosniff");
        assertThat(headers.firstValue("cache-control")).contains("no-store");
    }

    @Test
    void hasNoScriptOrStyleWithinThePage() throws Exception {
        var page = get(at("/")).body();

        assertThat(page)
                .doesNotContain("<style", " style=", " onclick=")
                .doesNotContainPattern("<script(?![^>]* src=)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/nothing", "/../module-info.class", "/%2e%2e/module-info.class", "/webjars/other/x.js"})
    void servesNothingElse(String path) throws Exception {
        assertThat(get(at(path)).statusCode()).isBetween(400, 404);
    }

    private static URI at(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    private static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
        return HTTP.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    }
}
