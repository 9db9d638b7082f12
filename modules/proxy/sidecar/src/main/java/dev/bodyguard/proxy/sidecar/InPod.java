package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Interception;
import dev.bodyguard.proxy.wire.Limits;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a sidecar in a pod was told, all of it by its environment: whoever injected it wrote it there.
///
/// @param service canonical name of what it serves, by the pod's labels
/// @param workload the pod's name
/// @param ips the pod's own addresses, at least one
/// @param appPorts ports that its containers declare
/// @param token file of a service account token whose audience is the mesh; read again whenever one is wanted
/// @param root file of the roots to trust
/// @param certificates folder of mounted Secrets of type `kubernetes.io/tls`
/// @param probes what the kubelet asks, by path
/// @param appMetrics where the app tells its own metrics
record InPod(
        String service,
        String namespace,
        String workload,
        String serviceAccount,
        Map<String, String> labels,
        List<InetAddress> ips,
        List<Integer> appPorts,
        String trustDomain,
        Whereabouts controlPlane,
        Path state,
        Path token,
        Path root,
        Path certificates,
        Interception interception,
        double traceSampling,
        boolean accessLog,
        Limits limits,
        Map<String, Probe> probes,
        Optional<URI> appMetrics)
        implements Settings {
    private static final int LONGEST_TOKEN = 16 << 10;
    private static final int MOST_PROBES = 256;
    /// Which label names what a pod serves, the first that is there.
    private static final List<String> CANONICAL =
            List.of("service.istio.io/canonical-name", "app.kubernetes.io/name", "app");

    InPod {
        labels = Map.copyOf(labels);
        ips = List.copyOf(ips);
        appPorts = List.copyOf(appPorts);
        probes = Map.copyOf(probes);
    }

    /// @throws IllegalArgumentException with a sentence that names the variable
    static InPod from(Map<String, String> environment) {
        var told = new Told(environment);
        var podInfo = Path.of(told.required("BODYGUARD_PODINFO"));
        Map<String, String> labels;
        try {
            labels = PodInfo.read(podInfo.resolve("labels"));
        } catch (IOException unreadable) {
            throw new IllegalArgumentException(
                    "BODYGUARD_PODINFO: the pod's labels cannot be read: " + unreadable, unreadable);
        }
        var workload = told.required("POD_NAME");
        return new InPod(
                canonical(labels, workload),
                told.required("POD_NAMESPACE"),
                workload,
                told.required("SERVICE_ACCOUNT"),
                labels,
                told.addresses("POD_IPS"),
                told.ports("BODYGUARD_APP_PORTS"),
                told.or("BODYGUARD_TRUST_DOMAIN", "cluster.local"),
                new Whereabouts.Fixed(
                        told.hostPort("BODYGUARD_IDENTITY"),
                        told.hostPort("BODYGUARD_CONFIG"),
                        told.or("BODYGUARD_TELEMETRY", "")),
                Path.of(told.required("BODYGUARD_STATE")),
                Path.of(told.required("BODYGUARD_TOKEN")),
                Path.of(told.required("BODYGUARD_ROOT")),
                Path.of(told.or("BODYGUARD_CERTIFICATES", "/var/run/bodyguard/certificates")),
                told.interception("BODYGUARD_CAPTURE"),
                told.share("BODYGUARD_TRACE_SAMPLING"),
                told.logged("BODYGUARD_ACCESS_LOG"),
                LimitSettings.read("BODYGUARD_LIMITS", told.or("BODYGUARD_LIMITS", "")),
                told.probes("BODYGUARD_PROBES"),
                told.url("BODYGUARD_APP_METRICS"));
    }

    /// As long as the authority gives it: `mesh.certificateTTL` of the chart.
    @Override
    public Duration ttl() {
        return Duration.ZERO;
    }

    @Override
    public String interceptionMode() {
        return interception.name();
    }

    @Override
    public String address() {
        return NetUtil.toAddressString(ips.getFirst());
    }

    private static String canonical(Map<String, String> labels, String workload) {
        return CANONICAL.stream()
                .map(labels::get)
                .filter(name -> name != null && !name.isEmpty())
                .findFirst()
                .orElse(workload);
    }

    /// What the environment says.
    private record Told(Map<String, String> environment) {
        String required(String name) {
            var value = or(name, "");
            if (value.isEmpty()) {
                throw wrong(name, "must be set in a pod", null);
            }
            return value;
        }

        String or(String name, String otherwise) {
            var value = environment.getOrDefault(name, "").strip();
            return value.isEmpty() ? otherwise : value;
        }

        private Stream<String> list(String name) {
            return Stream.of(or(name, "").split(",")).map(String::strip).filter(one -> !one.isEmpty());
        }

        List<InetAddress> addresses(String name) {
            required(name);
            var addresses = new ArrayList<InetAddress>();
            list(name).forEach(one -> {
                try {
                    addresses.add(InetAddress.ofLiteral(one));
                } catch (IllegalArgumentException _) {
                    throw wrong(name, "must be IP addresses with commas between them", one);
                }
            });
            return addresses;
        }

        List<Integer> ports(String name) {
            return list(name).map(one -> port(name, one)).distinct().toList();
        }

        private static int port(String name, String text) {
            if (!text.matches("[1-9][0-9]{0,4}") || Integer.parseInt(text) > 65_535) {
                throw wrong(name, "must be ports from 1 to 65535 with commas between them", text);
            }
            return Integer.parseInt(text);
        }

        String hostPort(String name) {
            var value = required(name);
            int colon = value.lastIndexOf(':');
            if (colon < 1) {
                throw wrong(name, "must be host:port", value);
            }
            port(name, value.substring(colon + 1));
            return value;
        }

        Interception interception(String name) {
            return switch (or(name, "REDIRECT")) {
                case "REDIRECT" -> Interception.REDIRECT;
                case "TPROXY" -> Interception.TPROXY;
                case String other -> throw wrong(name, "must be REDIRECT or TPROXY", other);
            };
        }

        boolean logged(String name) {
            return switch (or(name, "stdout")) {
                case "stdout" -> true;
                case "off" -> false;
                case String other -> throw wrong(name, "must be stdout or off", other);
            };
        }

        double share(String name) {
            var percent = or(name, "1");
            if (!percent.matches("[0-9]{1,3}([.][0-9]{1,6})?") || Double.parseDouble(percent) > 100) {
                throw wrong(name, "must be a percentage, 0 to 100", percent);
            }
            return Double.parseDouble(percent) / 100;
        }

        Map<String, Probe> probes(String name) {
            var text = or(name, "");
            if (text.isEmpty()) {
                return Map.of();
            }
            try {
                var probes = Probe.read(text);
                if (probes.size() > MOST_PROBES) {
                    throw new IllegalArgumentException("there are more than " + MOST_PROBES);
                }
                return probes;
            } catch (IllegalArgumentException unreadable) {
                throw new IllegalArgumentException(name + ": " + unreadable.getMessage(), unreadable);
            }
        }

        Optional<URI> url(String name) {
            var text = or(name, "");
            if (text.isEmpty()) {
                return Optional.empty();
            }
            try {
                var url = URI.create(text);
                if (List.of("http", "https").contains(String.valueOf(url.getScheme()))
                        && url.getHost() != null
                        && url.getPort() > 0) {
                    return Optional.of(url);
                }
            } catch (IllegalArgumentException _) {
                // As below.
            }
            throw wrong(name, "must be http://host:port/path", text);
        }

        private static IllegalArgumentException wrong(String name, String rule, @Nullable String value) {
            return new IllegalArgumentException(name + " " + rule + (value == null ? "" : ", was '" + value + "'"));
        }
    }

    /// The service account's token as it is now: the kubelet replaces it before it expires.
    String tokenNow() throws IOException {
        return BoundedFile.text(token, LONGEST_TOKEN).strip();
    }
}
