package dev.bodyguard.dialect.linkerd;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.Document;
import java.util.List;

/// What Linkerd's users write: ServiceProfile for routes, retries and timeouts, SMI's TrafficSplit for shares.
public final class Linkerd implements Dialect {
    @Override
    public List<Kind> kinds() {
        return List.of(
                new Kind("linkerd.io", "ServiceProfile", List.of("v1alpha2", "v1alpha1")),
                new Kind("split.smi-spec.io", "TrafficSplit", List.of("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1")));
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (!root.has("spec")) {
                root.missing("spec", "is required; add it");
            }
            root.<Boolean>object("spec", spec -> {
                if (document.kind().equals("TrafficSplit")) {
                    TrafficSplits.read(document, spec, head, parts);
                } else {
                    ServiceProfiles.read(document, spec, head, parts);
                }
                return true;
            });
        });
    }
}
