package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Targets;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PeerAuthentication;
import dev.bodyguard.model.PeerAuthentication.Mode;
import dev.bodyguard.model.PeerAuthentication.Scope;
import dev.bodyguard.model.Problem;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// PeerAuthentication: whether callers must prove who they are.
final class PeerAuthentications {
    private PeerAuthentications() {}

    static void read(Document document, Fields root, Head head, List<Part> parts) {
        var read = root.<PeerAuthentication>object("spec", spec -> {
            var selected = spec.object("selector", PeerAuthentications::selector);
            var labels = selected == null ? Map.<String, String>of() : selected.labels();
            var mode = spec.<Mode>object("mtls", PeerAuthentications::mode);
            var ports = ports(spec);
            if (spec.has("portLevelMtls") && labels.isEmpty()) {
                spec.error("portLevelMtls", "needs a selector beside it, as ports are those of certain workloads");
            }
            if (Mesh.isRoot(document.namespace()) && !labels.isEmpty()) {
                spec.warning(
                        "selector",
                        "has no place in " + document.namespace() + ", whose policies are about the whole mesh, so this"
                                + " one has no effect; put it into the workloads' own namespace");
                return null;
            }
            return new PeerAuthentication(
                    scope(document.namespace(), labels),
                    selected == null || labels.isEmpty() ? Targets.namespace(document) : selected.at(),
                    mode,
                    ports,
                    head.created(),
                    document.origin());
        });
        if (read != null) {
            parts.add(read);
        }
    }

    private record Selected(Map<String, String> labels, Origin at) {}

    private static Selected selector(Fields selector) {
        return new Selected(selector.map("matchLabels"), selector.origin("matchLabels"));
    }

    private static Map<Integer, Mode> ports(Fields spec) {
        var modes = new HashMap<Integer, Mode>();
        spec.<Boolean>object("portLevelMtls", ports -> {
            for (var port : ports.written()) {
                var mode = ports.<Mode>object(port, PeerAuthentications::mode);
                if (!port.matches("[1-9][0-9]{0,4}") || Integer.parseInt(port) > 65_535) {
                    ports.error(port, "must be below a port from 1 to 65535");
                } else if (mode != null) {
                    modes.put(Integer.valueOf(port), mode);
                }
            }
            return true;
        });
        return modes;
    }

    private static @Nullable Mode mode(Fields mtls) {
        return switch (mtls.word("mode", "UNSET", "DISABLE", "PERMISSIVE", "STRICT")) {
            case "STRICT" -> Mode.STRICT;
            case "PERMISSIVE" -> Mode.PERMISSIVE;
            case "DISABLE" -> Mode.DISABLE;
            case null, default -> null;
        };
    }

    private static Scope scope(String namespace, Map<String, String> labels) {
        if (Mesh.isRoot(namespace)) {
            return new Scope.Everywhere();
        }
        return labels.isEmpty() ? new Scope.Namespace(namespace) : new Scope.Labelled(namespace, labels);
    }

    /// Mutual TLS for everybody whom a document that is not understood may be about: those that its selector names.
    /// Where that cannot be read with certainty, each workload of its namespace as if it were named; in a root
    /// namespace, the mesh.
    static PeerAuthentication strict(Document document) {
        var problems = new ArrayList<Problem>();
        var labels = Fields.of(document, problems).<Map<String, String>>object("spec", spec -> {
            spec.elsewhere("mtls", "portLevelMtls");
            var selected = spec.object("selector", PeerAuthentications::selector);
            return selected == null ? Map.of() : selected.labels();
        });
        boolean certain = labels != null && problems.isEmpty();
        var scope = certain || Mesh.isRoot(document.namespace())
                ? scope(document.namespace(), labels == null ? Map.of() : labels)
                : new Scope.Labelled(document.namespace(), Map.of());
        return new PeerAuthentication(scope, document.origin(), Mode.STRICT, Map.of(), null, document.origin());
    }
}
