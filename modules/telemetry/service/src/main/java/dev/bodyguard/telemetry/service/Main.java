package dev.bodyguard.telemetry.service;

import dev.bodyguard.identity.client.Membership;
import dev.bodyguard.service.FreePort;
import dev.bodyguard.service.HostPort;
import dev.bodyguard.service.Keys;
import dev.bodyguard.service.Lifecycle;
import dev.bodyguard.service.Running;
import dev.bodyguard.tracing.Tracing;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Arrays;

/// The telemetry service as a process of its own.
public final class Main {
    private static final String USAGE = """
        usage: bodyguard service telemetry, with environment variables:
          BODYGUARD_STATE           folder with identity's root.pem and join/telemetry.bodyguard-system.token; keeps the
                                    SVID; required
          BODYGUARD_TOKEN           file of a Kubernetes token of its service account, audience bodyguard; with
                                    it no join token is needed
          BODYGUARD_ROOT            file with the roots, beside BODYGUARD_TOKEN instead of root.pem
          BODYGUARD_IDENTITY        where identity is (127.0.0.1:15013)
          BODYGUARD_TRUST_DOMAIN    (cluster.local)
          BODYGUARD_HOST            the address to listen on (127.0.0.1)
          BODYGUARD_TELEMETRY_PORT  the page, /api/summary, /healthz/ready, /metrics (15016; 0: any free one)
          BODYGUARD_OTLP_PORT       where sidecars report, mutual TLS (15018; 0: any free one)
          BODYGUARD_TRACE_EXPORTS   where spans go on to, with a comma between several:
                                    zipkin=http://127.0.0.1:9411/api/v2/spans, otlp=http://127.0.0.1:4318/v1/traces
          OTEL_EXPORTER_OTLP_ENDPOINT
                                    where spans of its own work go, by OTLP; OpenTelemetry's other variables
                                    about traces hold too, such as OTEL_EXPORTER_OTLP_PROTOCOL (none: no spans)
        """;

    private Main() {}

    private record ProcessSettings(Settings service, Membership membership) {
        static ProcessSettings from(Keys keys) {
            var exports = Arrays.stream(keys.text("BODYGUARD_TRACE_EXPORTS", "").split(","))
                    .map(String::strip)
                    .filter(text -> !text.isEmpty())
                    .map(TraceExport::parse)
                    .toList();
            return new ProcessSettings(
                    new Settings(
                            keys.text("BODYGUARD_HOST", "127.0.0.1"),
                            keys.port("BODYGUARD_TELEMETRY_PORT", 15016),
                            keys.port("BODYGUARD_OTLP_PORT", 15018),
                            exports),
                    Membership.from(keys::text));
        }
    }

    static void main(String[] args) throws InterruptedException {
        Lifecycle.run(
                "bodyguard service telemetry",
                USAGE,
                args,
                () -> ProcessSettings.from(new Keys(System.getenv())),
                Main::start);
    }

    private static String start(ProcessSettings settings, Running running) throws IOException, InterruptedException {
        var service = settings.service();
        // What cannot work shall be told before anything has started.
        FreePort.require(service.host(), service.port(), "BODYGUARD_TELEMETRY_PORT");
        FreePort.require(service.host(), service.otlpPort(), "BODYGUARD_OTLP_PORT");
        var clock = InstantSource.system();
        var tracing = running.open(Tracing.start("bodyguard-telemetry", System.getenv()));
        var member = running.open(settings.membership().join("telemetry", _ -> {}, clock));
        var telemetry = running.open(TelemetryService.start(
                service,
                member::svid,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                new LoggedEvents(
                        System.getLogger("dev.bodyguard.telemetry"), tracing.tracer("dev.bodyguard.telemetry")),
                clock));
        return "telemetry " + HostPort.of(service.host(), telemetry.port()) + ", otlp "
                + HostPort.of(service.host(), telemetry.otlpPort());
    }
}
