package dev.bodyguard.injector.service;

import dev.bodyguard.identity.client.Membership;
import dev.bodyguard.injector.decision.Defaults;
import dev.bodyguard.injector.decision.Sidecar;
import dev.bodyguard.service.Admin;
import dev.bodyguard.service.FreePort;
import dev.bodyguard.service.HostPort;
import dev.bodyguard.service.Keys;
import dev.bodyguard.service.Lifecycle;
import dev.bodyguard.service.Running;
import dev.bodyguard.tracing.Tracing;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/// The injector as a process of its own.
public final class Main {
    private static final String USAGE = """
        usage: bodyguard service injector, with environment variables:
          BODYGUARD_STATE           folder with identity's root.pem and join/injector.bodyguard-system.token; keeps the
                                    SVID; required
          BODYGUARD_TOKEN           file of a Kubernetes token of its service account, audience bodyguard; with
                                    it no join token is needed
          BODYGUARD_ROOT            file with the roots, beside BODYGUARD_TOKEN instead of root.pem
          BODYGUARD_IDENTITY        where identity is (127.0.0.1:15013)
          BODYGUARD_TRUST_DOMAIN    (cluster.local)
          BODYGUARD_HOST            the address to listen on (127.0.0.1)
          BODYGUARD_INJECTOR_PORT   the webhooks, TLS (15017; 0: any free one)
          BODYGUARD_ADMIN_PORT      /healthz/ready, /metrics (15027; 0: any free one)
          BODYGUARD_WEBHOOK         the MutatingWebhookConfiguration, and the ValidatingWebhookConfiguration of the same
                                    name, whose caBundle is kept right (bodyguard-injector)
          BODYGUARD_HUB             where the images of what is injected are (bodyguard)
          BODYGUARD_TAG             of these images; required
          BODYGUARD_REVISION        what istio.io/rev must say to mean this injector (default)
          BODYGUARD_SIDECAR         native, or classic before Kubernetes 1.29 (native)
          BODYGUARD_SIDECAR_CPU, BODYGUARD_SIDECAR_MEMORY
                                    what the scheduler sets aside for one (50m, 160Mi)
          BODYGUARD_SIDECAR_CPU_LIMIT, BODYGUARD_SIDECAR_MEMORY_LIMIT
                                    (none, 320Mi); a pod's annotations go before these four
          BODYGUARD_TRACE_SAMPLING  percentage of the traces that begin at one (1)
          OTEL_EXPORTER_OTLP_ENDPOINT
                                    where spans of its own work go, by OTLP; OpenTelemetry's other variables
                                    about traces hold too, such as OTEL_EXPORTER_OTLP_PROTOCOL (none: no spans)
        The cluster is the one of the pod that this runs in, or of KUBECONFIG.
        """;

    /// A question to the API server is a small one; whoever waits for the answer waits ten seconds in all.
    private static final int PATIENCE_MS = 2_000;

    private Main() {}

    private record ProcessSettings(Settings service, int adminPort, Membership membership) {
        static ProcessSettings from(Keys keys) {
            return new ProcessSettings(
                    new Settings(
                            keys.text("BODYGUARD_HOST", "127.0.0.1"),
                            keys.port("BODYGUARD_INJECTOR_PORT", 15017),
                            keys.text("BODYGUARD_WEBHOOK", "bodyguard-injector"),
                            new Sidecar(
                                    keys.text("BODYGUARD_HUB", "bodyguard"),
                                    tag(keys),
                                    keys.text("BODYGUARD_REVISION", "default"),
                                    keys.text("BODYGUARD_TRUST_DOMAIN", "cluster.local"),
                                    keys.choice("BODYGUARD_SIDECAR", Sidecar.Shape.NATIVE),
                                    defaults(keys))),
                    keys.port("BODYGUARD_ADMIN_PORT", 15027),
                    Membership.from(keys::text));
        }
    }

    private static Defaults defaults(Keys keys) {
        var usual = Defaults.USUAL;
        return new Defaults(
                keys.text("BODYGUARD_SIDECAR_CPU", usual.cpu()),
                keys.text("BODYGUARD_SIDECAR_MEMORY", usual.memory()),
                keys.text("BODYGUARD_SIDECAR_CPU_LIMIT", usual.cpuLimit()),
                keys.text("BODYGUARD_SIDECAR_MEMORY_LIMIT", usual.memoryLimit()),
                keys.text("BODYGUARD_TRACE_SAMPLING", usual.traceSampling()));
    }

    private static String tag(Keys keys) {
        var tag = keys.text("BODYGUARD_TAG", "");
        if (tag.isEmpty()) {
            throw new IllegalArgumentException(
                    "BODYGUARD_TAG is not set: name the tag of the images that are injected");
        }
        return tag;
    }

    static void main(String[] args) throws InterruptedException {
        Lifecycle.run(
                "bodyguard service injector",
                USAGE,
                args,
                () -> ProcessSettings.from(new Keys(System.getenv())),
                Main::start);
    }

    private static String start(ProcessSettings settings, Running running) throws IOException, InterruptedException {
        var service = settings.service();
        // What cannot work shall be told before anything has started.
        FreePort.require(service.host(), service.port(), "BODYGUARD_INJECTOR_PORT");
        FreePort.require(service.host(), settings.adminPort(), "BODYGUARD_ADMIN_PORT");
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var tracing = running.open(Tracing.start("bodyguard-injector", System.getenv()));
        var renewed = new AtomicReference<Runnable>(() -> {});

        var client = running.open(client());
        var member = running.open(
                settings.membership().join("injector", _ -> renewed.get().run(), InstantSource.system()));
        var injector = running.open(InjectorService.start(
                service,
                client,
                member::svid,
                () -> member.svid().bundle(),
                metrics,
                tracing.tracer("dev.bodyguard.injector")));
        renewed.set(injector::renewed);
        var admin = running.open(Admin.start(
                service.host(), settings.adminPort(), new Admin.Answers(injector::unready, metrics::scrape, Map.of())));
        return "webhook " + HostPort.of(service.host(), injector.port()) + ", admin "
                + HostPort.of(service.host(), admin.port()) + "; keeping the webhook configurations "
                + service.webhook();
    }

    private static KubernetesClient client() {
        return new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder()
                        .withConnectionTimeout(PATIENCE_MS)
                        .withRequestTimeout(PATIENCE_MS)
                        .withRequestRetryBackoffLimit(1)
                        .build())
                .build();
    }
}
