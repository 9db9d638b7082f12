package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.Part;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Istio's networking documents, in every version of their API that is served.
public final class IstioNetworking implements Dialect {
    private static final Set<String> VERSIONS =
            Set.of("networking.istio.io/v1alpha3", "networking.istio.io/v1beta1", "networking.istio.io/v1");
    private static final Set<String> KINDS =
            Set.of("VirtualService", "DestinationRule", "ServiceEntry", "WorkloadEntry", "Sidecar");

    @Override
    public boolean speaks(Document document) {
        return VERSIONS.contains(document.apiVersion()) && KINDS.contains(document.kind());
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (!root.has("spec")) {
                root.error("spec", "is required; add it");
            }
            root.<Boolean>object("spec", spec -> {
                switch (document.kind()) {
                    case "VirtualService" -> VirtualServices.read(document, spec, head, parts);
                    case "DestinationRule" -> DestinationRules.read(document, spec, head, parts);
                    case "ServiceEntry" -> Entries.service(document, spec, parts);
                    case "WorkloadEntry" -> Entries.workload(document, spec, head, parts);
                    case "Sidecar" -> sidecar(document, spec, parts);
                    default -> throw new IllegalArgumentException("not spoken here: " + document.kind());
                }
                return true;
            });
        });
    }

    private static void sidecar(Document document, Fields spec, List<Part> parts) {
        spec.unsupported("egress", "inboundConnectionPool");
        var selected = spec.<Map<String, String>>object("workloadSelector", selector -> selector.map("labels"));
        var labels = selected == null ? Map.<String, String>of() : selected;
        parts.addAll(spec.list("ingress", ingress -> Ingresses.read(ingress, document.namespace(), labels)));
        var mode = spec.<String>object("outboundTrafficPolicy", policy -> {
            policy.unsupported("egressProxy");
            return policy.word("mode", "ALLOW_ANY", "REGISTRY_ONLY");
        });
        if (mode != null) {
            parts.add(new OutboundPolicy(
                    document.namespace(),
                    labels,
                    OutboundPolicy.Mode.valueOf(mode),
                    spec.origin("outboundTrafficPolicy")));
        }
    }
}
