package dev.bodyguard.proxy.sidecar;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What a pod's author had the kubelet ask of the app, in Kubernetes' words (`Probe` and `LifecycleHandler` of
/// core/v1).
///
/// @param patience how long the app may take
record Probe(Question question, Duration patience) {
    private static final long MOST_SECONDS = 3_600;

    /// Begins the path of a `lifecycle` hook.
    private static final String HOOKS = "/app-lifecycle/";

    /// Kubernetes sets a hook no bound but the pod's grace period, after which the kubelet ends the app, and then a
    /// native
    /// sidecar.
    private static final Duration PATIENCE_WITH_A_HOOK = Duration.ofMinutes(10);

    /// How it is asked.
    sealed interface Question {
        /// Empty for the pod's address.
        String host();

        int port();

        /// A GET; good is a status from 200 to 399.
        ///
        /// @param tls whether by TLS, whose certificate nobody looks at
        /// @param headers in order, names may repeat
        record HttpGet(String host, int port, boolean tls, String path, List<Header> headers) implements Question {
            public HttpGet {
                headers = List.copyOf(headers);
            }
        }

        /// Whether it can be connected to.
        record TcpSocket(String host, int port) implements Question {}

        /// `grpc.health.v1.Health/Check`, without TLS.
        record Grpc(int port, String service) implements Question {
            @Override
            public String host() {
                return "";
            }
        }
    }

    /// A header of a GET.
    record Header(String name, String value) {
        Header {
            if (!name.matches("[-!#$%&'*+.^_`|~0-9A-Za-z]{1,256}")
                    || value.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
                throw new IllegalArgumentException("no header of HTTP: '" + name + ": " + value + "'");
            }
        }
    }

    /// Whether what is asked by a path is a hook, which may take minutes, where a probe takes moments.
    static boolean isHook(String path) {
        return path.startsWith(HOOKS);
    }

    /// Reads `{"/app-health/web/readyz": {"httpGet": {…}, "timeoutSeconds": 1}, …}`.
    ///
    /// @throws IllegalArgumentException with a sentence
    static Map<String, Probe> read(String json) {
        var probes = new LinkedHashMap<String, Probe>();
        object("the whole", JsonReader.read(json)).forEach((path, probe) -> {
            try {
                if (!path.startsWith("/")) {
                    throw new IllegalArgumentException("a path begins with /");
                }
                var asked = object("probe", probe);
                probes.put(path, new Probe(question(asked), isHook(path) ? PATIENCE_WITH_A_HOOK : patience(asked)));
            } catch (IllegalArgumentException wrong) {
                throw new IllegalArgumentException(path + ": " + wrong.getMessage(), wrong);
            }
        });
        return probes;
    }

    private static Duration patience(Map<?, ?> probe) {
        var seconds = probe.get("timeoutSeconds") instanceof Number number ? number.longValue() : 1;
        return Duration.ofSeconds(Math.clamp(seconds, 1, MOST_SECONDS));
    }

    private static Question question(Map<?, ?> probe) {
        if (probe.get("httpGet") != null) {
            return httpGet(object("httpGet", probe.get("httpGet")));
        }
        if (probe.get("tcpSocket") != null) {
            var asked = object("tcpSocket", probe.get("tcpSocket"));
            return new Question.TcpSocket(text(asked, "host"), port(asked));
        }
        if (probe.get("grpc") != null) {
            var asked = object("grpc", probe.get("grpc"));
            return new Question.Grpc(port(asked), text(asked, "service"));
        }
        throw new IllegalArgumentException("must have httpGet, tcpSocket or grpc");
    }

    private static Question httpGet(Map<?, ?> asked) {
        var path = text(asked, "path");
        if (path.chars().anyMatch(c -> c <= ' ' || c >= 0x7f)) {
            throw new IllegalArgumentException("httpGet.path must be a path of HTTP, was '" + path + "'");
        }
        var headers = asked.get("httpHeaders") instanceof List<?> list
                ? list.stream()
                        .map(one -> object("httpHeaders", one))
                        .map(one -> new Header(text(one, "name"), text(one, "value")))
                        .toList()
                : List.<Header>of();
        return new Question.HttpGet(
                text(asked, "host"),
                port(asked),
                text(asked, "scheme").equalsIgnoreCase("https"),
                path.startsWith("/") ? path : "/" + path,
                headers);
    }

    private static Map<String, @Nullable Object> object(String what, @Nullable Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new IllegalArgumentException(what + " must be an object");
        }
        var fields = new LinkedHashMap<String, @Nullable Object>();
        map.forEach((name, field) -> fields.put(String.valueOf(name), field));
        return fields;
    }

    private static String text(Map<?, ?> fields, String name) {
        return Objects.toString(fields.get(name), "");
    }

    private static int port(Map<?, ?> fields) {
        var port = text(fields, "port");
        if (!port.matches("[1-9][0-9]{0,4}") || Integer.parseInt(port) > 65_535) {
            throw new IllegalArgumentException("port must be a number from 1 to 65535, was '" + port + "'");
        }
        return Integer.parseInt(port);
    }
}
