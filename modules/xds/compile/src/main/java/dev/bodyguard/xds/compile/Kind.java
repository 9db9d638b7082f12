package dev.bodyguard.xds.compile;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.model.Locality;
import io.envoyproxy.envoy.config.core.v3.Node;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/// Which program reads the resources: all speak xDS, each has its own ways.
public sealed interface Kind {
    /// Where it runs: some endpoints may be nearer than others.
    Locality where();

    /// Our own: it asks by name for what its app calls, and holds its certificates itself.
    record Sidecar(Locality where) implements Kind {
        /// One that runs nobody knows where.
        public Sidecar() {
            this(Locality.UNKNOWN);
        }
    }

    /// An Envoy: it asks for everything that it may see.
    ///
    /// @param workload its name in metrics
    /// @param address where it shall listen for its app
    /// @param secrets folder on its machine that holds `sds-default.yaml` and `sds-rootca.yaml`; empty where its
    /// bootstrap has the secrets `default` and `ROOTCA`
    record Envoy(String workload, String address, int port, String secrets, Locality where) implements Kind {
        public Envoy {
            Objects.requireNonNull(where);
            Objects.requireNonNull(workload);
            Objects.requireNonNull(address);
            Objects.requireNonNull(secrets);
        }
    }

    /// A gRPC client: it asks by name for its targets, and gets its certificates from the provider `default` of its
    /// bootstrap.
    record Grpc(Locality where) implements Kind {
        /// One that runs nobody knows where.
        public Grpc() {
            this(Locality.UNKNOWN);
        }
    }

    /// The kind as far as clusters and endpoints depend on it: clients of one kind share them.
    default Kind sharing() {
        return switch (this) {
            case Envoy envoy -> new Envoy("", "", 0, envoy.secrets(), envoy.where());
            case Sidecar _, Grpc _ -> this;
        };
    }

    /// What a node's `GENERATOR` says, or else its user agent.
    ///
    /// @throws IllegalArgumentException with a sentence, if an Envoy does not say where to listen
    static Kind of(Node node) {
        var metadata = node.getMetadata();
        var generator = text(metadata, "GENERATOR");
        var said = (generator.isEmpty() ? node.getUserAgentName() : generator).toLowerCase(Locale.ROOT);
        if (said.startsWith("grpc")) {
            return new Grpc(where(node));
        }
        return said.equals("envoy") ? envoy(node) : new Sidecar(where(node));
    }

    /// As the node says, or else by its workload's labels.
    private static Locality where(Node node) {
        var said = node.getLocality();
        if (!said.getRegion().isEmpty() || !said.getZone().isEmpty()) {
            return new Locality(said.getRegion(), said.getZone(), said.getSubZone());
        }
        return Locality.of(Proxy.labels(node.getMetadata()));
    }

    private static Kind envoy(Node node) {
        var metadata = node.getMetadata();
        var listen = text(metadata, "OUTBOUND_ADDRESS");
        var form = Pattern.compile("\\[?([0-9a-fA-F.:]+?)]?:([1-9][0-9]{0,4})").matcher(listen);
        if (!form.matches() || Integer.parseInt(form.group(2)) > 65535) {
            throw new IllegalArgumentException("node " + node.getId() + " is an Envoy, so its metadata must name the"
                    + " address to listen on for its app as OUTBOUND_ADDRESS, such as 127.0.0.1:15001; it was '"
                    + listen + "'");
        }
        return new Envoy(
                text(metadata, "NAME"),
                form.group(1),
                Integer.parseInt(form.group(2)),
                text(metadata, "SECRETS").replaceAll("/+$", ""),
                where(node));
    }

    private static String text(Struct metadata, String key) {
        return metadata.getFieldsOrDefault(key, Value.getDefaultInstance()).getStringValue();
    }
}
