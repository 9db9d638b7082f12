package dev.bodyguard.telemetry.service;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.staticcontent.ClasspathHandlerConfig;
import io.helidon.webserver.staticcontent.StaticContentFeature;
import io.helidon.webserver.staticcontent.TemporaryStorage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;

/// The page at `/`: who talks to whom, and how that goes, drawn from `api/summary`. Its files are this module's and two
/// WebJars'; a browser is told to take nothing from anywhere else.
final class Dashboard {
    private static final String PAGE = "META-INF/resources/dashboard";
    private static final List<String> LIBRARIES = List.of("lit-html", "dagre");

    private Dashboard() {}

    /// Adds the page, and headers to every answer of the server.
    static void add(HttpRouting.Builder routes) {
        routes.addFilter((chain, _, response) -> {
            guard(response);
            chain.proceed();
        });
        for (var library : LIBRARIES) {
            routes.register(
                    "/webjars/" + library,
                    files("META-INF/resources/webjars/" + library + "/" + version(library), "package.json"));
        }
        routes.register("/", files(PAGE, "index.html"));
    }

    private static void guard(ServerResponse response) {
        response.header(
                        HeaderNames.create("Content-Security-Policy"),
                        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src"
                                + " 'none'")
                .header(HeaderNames.create("X-Content-Type-Options"), "nosniff")
                .header(HeaderNames.create("Referrer-Policy"), "no-referrer")
                // Files in an archive of a reproducible build are all of one time: a browser could not tell two
                // releases apart.
                .header(HeaderNames.CACHE_CONTROL, "no-store");
    }

    private static HttpService files(String folder, String welcome) {
        return StaticContentFeature.createService(ClasspathHandlerConfig.builder()
                .location(folder)
                .classLoader(Dashboard.class.getClassLoader())
                .welcome(welcome)
                .temporaryStorage(TemporaryStorage.create(storage -> storage.enabled(false)))
                .build());
    }

    /// Folders of WebJars are called after versions; pages should not have to know them.
    private static String version(String library) {
        var place = "META-INF/maven/org.webjars.npm/" + library + "/pom.properties";
        try (var found = Dashboard.class.getClassLoader().getResourceAsStream(place)) {
            if (found == null) {
                throw new IllegalStateException("no WebJar of " + library + " beside this module: " + place
                        + " is missing; the distribution has it in lib/");
            }
            var properties = new Properties();
            properties.load(found);
            return properties.getProperty("version");
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
