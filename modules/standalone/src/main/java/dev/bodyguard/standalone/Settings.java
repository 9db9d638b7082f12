package dev.bodyguard.standalone;

import dev.bodyguard.discovery.From;
import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.service.Keeper;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.PeerAuthentication;
import dev.bodyguard.service.HostPort;
import dev.bodyguard.service.Keys;
import dev.bodyguard.telemetry.service.TraceExport;
import dev.bodyguard.xds.server.GrpcServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What `bodyguard run` can be told: by flags, and where there is none by the environment variable in brackets.
///
/// @param host the address to listen on
/// @param keeper where the mesh's root is kept, and with it what members prove themselves by
/// @param documents a directory of YAML files, or an API server
/// @param state the folder that keeps keys and where sidecars find the control plane
/// @param lifetimes of certificates
/// @param outbound what becomes of hosts that the mesh does not know
/// @param peers whether captured ports let plaintext in
/// @param traceExports where spans go on to
/// @param transport what carries the gRPC of config and discovery
record Settings(
        String host,
        Keeper keeper,
        From documents,
        Path state,
        String trustDomain,
        Authority.Lifetimes lifetimes,
        OutboundPolicy.Mode outbound,
        PeerAuthentication.Mode peers,
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
        A flag that is not given is read from BODYGUARD_FILES, BODYGUARD_STATE, BODYGUARD_TRUST_DOMAIN,
        BODYGUARD_OUTBOUND_TRAFFIC_POLICY, BODYGUARD_TRACE_EXPORTS (a comma between several), BODYGUARD_XDS_TRANSPORT.
        Further variables:
          BODYGUARD_SOURCE    files, or kubernetes: documents and workloads are what the API server has (files)
          BODYGUARD_HOST      the address to listen on (127.0.0.1)
          BODYGUARD_CA        folder, or secret: the root is kept in Kubernetes' Secret bodyguard-ca, and members prove
                              themselves by tokens of their service accounts, audience bodyguard (folder)
          BODYGUARD_TTL       usual life of a certificate (PT24H)
          BODYGUARD_PEER_TLS  STRICT, or PERMISSIVE: sidecars whose connections the kernel captures let in plaintext
                              too (STRICT)
          OTEL_EXPORTER_OTLP_ENDPOINT
                              where spans of its own work go, by OTLP; OpenTelemetry's other variables
                              about traces hold too, such as OTEL_EXPORTER_OTLP_PROTOCOL (none: no spans)
        """;

    private static final Duration DAY = Duration.ofHours(24);
    private static final Set<String> FLAGS = Set.of(
            "-f",
            "--files",
            "--state",
            "--trust-domain",
            "--outbound-traffic-policy",
            "--trace-export",
            "--xds-transport");

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
        requireDifferent(ports);
    }

    private static void requireDifferent(Map<Port, Integer> given) {
        var holders = new HashMap<Integer, Port>();
        for (Port port : Port.values()) {
            int number = given.getOrDefault(port, port.usual);
            Port other = number == 0 ? null : holders.putIfAbsent(number, port);
            if (other != null) {
                throw new IllegalArgumentException(
                        other.flag + " and " + port.flag + " are both " + number + "; give each a port of its own");
            }
        }
    }

    int port(Port which) {
        return ports.getOrDefault(which, which.usual);
    }

    /// `host:port` of a service of ours, as one in the same process calls it.
    String within(int port) {
        return HostPort.of(host.equals("::") || host.equals("0.0.0.0") ? "127.0.0.1" : host, port);
    }

    /// `host:port` of a service of ours, as it listens.
    String at(int port) {
        return HostPort.of(host, port);
    }

    /// Reads a command line; an `IllegalArgumentException` says what is wrong with it.
    static Settings from(Keys keys, String... args) {
        String documents = "";
        Path state = Path.of(keys.text("BODYGUARD_STATE", ".bodyguard"));
        String trustDomain = keys.text("BODYGUARD_TRUST_DOMAIN", "cluster.local");
        var outbound = keys.choice("BODYGUARD_OUTBOUND_TRAFFIC_POLICY", OutboundPolicy.Mode.ALLOW_ANY);
        var traceExports = new ArrayList<TraceExport>();
        var transport = keys.choice("BODYGUARD_XDS_TRANSPORT", GrpcServer.Transport.NETTY);
        var ports = new EnumMap<Port, Integer>(Port.class);
        for (int i = 0; i < args.length; i++) {
            int equals = args[i].startsWith("--") ? args[i].indexOf('=') : -1;
            String flag = equals < 0 ? args[i] : args[i].substring(0, equals);
            @Nullable
            String value = equals >= 0 ? args[i].substring(equals + 1) : i + 1 < args.length ? args[i + 1] : null;
            if (!known(flag)) {
                throw new IllegalArgumentException(flag + " is not known here\n" + USAGE);
            }
            if (value == null || value.isEmpty()) {
                throw new IllegalArgumentException(flag + " needs a value\n" + USAGE);
            }
            if (equals < 0) {
                i++;
            }
            switch (flag) {
                case "-f", "--files" -> documents = value;
                case "--state" -> state = Path.of(value);
                case "--trust-domain" -> trustDomain = value;
                case "--outbound-traffic-policy" -> outbound = Keys.choice(flag, value, OutboundPolicy.Mode.class);
                case "--trace-export" -> traceExports.add(TraceExport.parse(value));
                case "--xds-transport" -> transport = Keys.choice(flag, value, GrpcServer.Transport.class);
                default ->
                    Arrays.stream(Port.values())
                            .filter(one -> one.flag.equals(flag))
                            .forEach(port -> ports.put(port, number(flag, value)));
            }
        }
        if (traceExports.isEmpty()) {
            Arrays.stream(keys.text("BODYGUARD_TRACE_EXPORTS", "").split(","))
                    .map(String::strip)
                    .filter(text -> !text.isEmpty())
                    .map(TraceExport::parse)
                    .forEach(traceExports::add);
        }
        if (documents.isEmpty()
                && keys.choice("BODYGUARD_SOURCE", From.Kind.FILES) == From.Kind.FILES
                && keys.text("BODYGUARD_FILES", "").isEmpty()) {
            throw new IllegalArgumentException("-f DIR is missing: the folder with the mesh's YAML\n" + USAGE);
        }
        var usual = keys.duration("BODYGUARD_TTL", DAY);
        return new Settings(
                keys.text("BODYGUARD_HOST", "127.0.0.1"),
                keys.choice("BODYGUARD_CA", Keeper.FOLDER),
                documents.isEmpty() ? From.told(keys) : new From.Files(Path.of(documents)),
                state.toAbsolutePath().normalize(),
                trustDomain,
                new Authority.Lifetimes(usual, usual.compareTo(DAY) > 0 ? usual : DAY),
                outbound,
                keys.choice("BODYGUARD_PEER_TLS", PeerAuthentication.Mode.STRICT),
                traceExports,
                transport,
                ports);
    }

    private static boolean known(String flag) {
        return FLAGS.contains(flag) || Arrays.stream(Port.values()).anyMatch(port -> port.flag.equals(flag));
    }

    private static int number(String flag, String value) {
        if (value.matches("[0-9]{1,5}") && Integer.parseInt(value) <= 65_535) {
            return Integer.parseInt(value);
        }
        throw new IllegalArgumentException(flag + " must be a port, 0 to 65535, was " + value);
    }
}
