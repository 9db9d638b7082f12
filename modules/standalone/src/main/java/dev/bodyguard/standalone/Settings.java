package dev.bodyguard.standalone;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.service.Keys;
import dev.bodyguard.telemetry.service.TraceExport;
import dev.bodyguard.xds.server.GrpcServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What `bodyguard run` can be told.
///
/// @param documents the directory of YAML files
/// @param state the folder that keeps keys and where sidecars find the control plane
/// @param outbound what becomes of hosts that the mesh does not know
/// @param traceExports where spans go on to
/// @param transport what carries the gRPC of config and discovery
record Settings(
        Path documents,
        Path state,
        String trustDomain,
        OutboundPolicy.Mode outbound,
        List<TraceExport> traceExports,
        GrpcServer.Transport transport,
        Map<Port, Integer> ports) {
    static final String USAGE = """
        usage: bodyguard run -f DIR [options]
          -f, --files DIR                   the mesh's YAML and JSON documents, watched
          --state DIR                       keys, join tokens and addresses (default ./.bodyguard)
          --trust-domain NAME               (default cluster.local)
          --outbound-traffic-policy POLICY  ALLOW_ANY (default) or REGISTRY_ONLY
          --trace-export FORMAT=URL         where spans go on to, may be given more than once:
                                            zipkin=http://127.0.0.1:9411/api/v2/spans, otlp=http://127.0.0.1:4318/v1/traces
          --xds-transport LIBRARY           what carries the gRPC of config and discovery: netty (default) or helidon,
                                            which does not notice a client's broken connection
          --xds-port, --identity-port, --discovery-port, --telemetry-port, --otlp-port, --admin-port PORT
                                            (default 15012, 15013, 15014, 15016, 15018, 15019; 0: any free one)
        """;

    /// The ports of the control plane.
    enum Port {
        XDS("--xds-port", 15012),
        IDENTITY("--identity-port", 15013),
        DISCOVERY("--discovery-port", 15014),
        /// The summary, metrics and pages, in plain HTTP.
        TELEMETRY("--telemetry-port", 15016),
        /// Where sidecars report, by mutual TLS.
        OTLP("--otlp-port", 15018),
        ADMIN("--admin-port", 15019);

        private final String flag;
        private final int usual;

        Port(String flag, int usual) {
            this.flag = flag;
            this.usual = usual;
        }

        String flag() {
            return flag;
        }
    }

    Settings {
        trustDomain = new SpiffeId(trustDomain, "").trustDomain();
        traceExports = List.copyOf(traceExports);
        ports = Map.copyOf(ports);
    }

    int port(Port which) {
        return ports.getOrDefault(which, which.usual);
    }

    /// Reads a command line; an `IllegalArgumentException` says what is wrong with it.
    static Settings from(String... args) {
        Path documents = null;
        Path state = Path.of(".bodyguard");
        String trustDomain = "cluster.local";
        var outbound = OutboundPolicy.Mode.ALLOW_ANY;
        var traceExports = new ArrayList<TraceExport>();
        var transport = GrpcServer.Transport.NETTY;
        var ports = new EnumMap<Port, Integer>(Port.class);
        for (int i = 0; i < args.length; i++) {
            int equals = args[i].startsWith("--") ? args[i].indexOf('=') : -1;
            String flag = equals < 0 ? args[i] : args[i].substring(0, equals);
            @Nullable
            String value = equals >= 0 ? args[i].substring(equals + 1) : i + 1 < args.length ? args[i + 1] : null;
            if (value == null || value.isEmpty()) {
                throw new IllegalArgumentException(flag + " needs a value\n" + USAGE);
            }
            if (equals < 0) {
                i++;
            }
            switch (flag) {
                case "-f", "--files" -> documents = Path.of(value);
                case "--state" -> state = Path.of(value);
                case "--trust-domain" -> trustDomain = value;
                case "--outbound-traffic-policy" -> outbound = Keys.choice(flag, value, OutboundPolicy.Mode.class);
                case "--trace-export" -> traceExports.add(TraceExport.parse(value));
                case "--xds-transport" -> transport = Keys.choice(flag, value, GrpcServer.Transport.class);
                default -> {
                    Port port = Arrays.stream(Port.values())
                            .filter(one -> one.flag.equals(flag))
                            .findFirst()
                            .orElseThrow(() -> new IllegalArgumentException(flag + " is not known here\n" + USAGE));
                    ports.put(port, number(flag, value));
                }
            }
        }
        if (documents == null) {
            throw new IllegalArgumentException("-f DIR is missing: the folder with the mesh's YAML\n" + USAGE);
        }
        return new Settings(
                documents, state.toAbsolutePath().normalize(), trustDomain, outbound, traceExports, transport, ports);
    }

    private static int number(String flag, String value) {
        if (value.matches("[0-9]{1,5}") && Integer.parseInt(value) <= 65_535) {
            return Integer.parseInt(value);
        }
        throw new IllegalArgumentException(flag + " must be a port, 0 to 65535, was " + value);
    }
}
