package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.Part;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Istio's networking documents, in every version of their API that is served.
public final class IstioNetworking implements Dialect {
    private static final List<String> VERSIONS = List.of("v1", "v1beta1", "v1alpha3");

    @Override
    public List<Kind> kinds() {
        return Stream.of("VirtualService", "DestinationRule", "ServiceEntry", "WorkloadEntry", "Sidecar")
                .map(name -> new Kind("networking.istio.io", name, VERSIONS))
                .toList();
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (!root.has("spec")) {
                root.missing("spec", "is required; add it");
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
