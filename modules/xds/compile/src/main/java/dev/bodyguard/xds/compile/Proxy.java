package dev.bodyguard.xds.compile;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The client for which resources are compiled, as far as they depend on it.
///
/// @param service the short name of what it serves, empty where it serves nothing
/// @param appPorts ports of the application behind it
/// @param captured whatever is meant for the workload comes in through it, also for ports that nobody declared
public record Proxy(
        Kind kind,
        String namespace,
        String service,
        String serviceAccount,
        Map<String, String> labels,
        List<Integer> appPorts,
        boolean captured) {
    /// As Istio's proxies call it.
    private static final Set<String> CAPTURED = Set.of("REDIRECT", "TPROXY");

    public Proxy {
        labels = Map.copyOf(labels);
        appPorts = List.copyOf(appPorts);
    }

    /// Reads the metadata that our sidecars send, and others must.
    ///
    /// @throws IllegalArgumentException with a sentence, if something in there cannot be
    public static Proxy of(Node node) {
        var metadata = node.getMetadata();
        var namespace = text(metadata, "NAMESPACE");
        if (namespace.isEmpty()) {
            throw new IllegalArgumentException("node " + node.getId()
                    + " does not say which namespace it is in: NAMESPACE is missing from its metadata");
        }
        return new Proxy(
                Kind.of(node),
                namespace,
                text(metadata, "SERVICE"),
                text(metadata, "SERVICE_ACCOUNT"),
                labels(metadata),
                ports(text(metadata, "APP_PORTS"), node.getId()),
                CAPTURED.contains(text(metadata, "INTERCEPTION_MODE")));
    }

    static Map<String, String> labels(Struct metadata) {
        var labels = new HashMap<String, String>();
        metadata.getFieldsOrDefault("LABELS", Value.getDefaultInstance())
                .getStructValue()
                .getFieldsMap()
                .forEach((key, value) -> labels.put(key, value.getStringValue()));
        return labels;
    }

    private static String text(Struct metadata, String key) {
        return metadata.getFieldsOrDefault(key, Value.getDefaultInstance()).getStringValue();
    }

    private static List<Integer> ports(String written, String node) {
        var ports = new ArrayList<Integer>();
        for (var one : written.split(",", -1)) {
            var text = one.strip();
            if (text.isEmpty()) {
                continue;
            }
            if (!text.matches("[1-9][0-9]{0,4}") || Integer.parseInt(text) > 65535) {
                throw new IllegalArgumentException("node " + node
                        + ": APP_PORTS must be ports from 1 to 65535 with commas between them, was " + written);
            }
            ports.add(Integer.valueOf(text));
        }
        return ports;
    }
}
