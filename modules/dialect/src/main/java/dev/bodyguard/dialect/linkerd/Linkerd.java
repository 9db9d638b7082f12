package dev.bodyguard.dialect.linkerd;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.Document;
import java.util.Set;

/// What Linkerd's users write: ServiceProfile for routes, retries and timeouts, SMI's TrafficSplit for shares.
public final class Linkerd implements Dialect {
    private static final Set<String> SPLITS = Set.of(
            "split.smi-spec.io/v1alpha1",
            "split.smi-spec.io/v1alpha2",
            "split.smi-spec.io/v1alpha3",
            "split.smi-spec.io/v1alpha4");

    @Override
    public boolean speaks(Document document) {
        return switch (document.kind()) {
            case "ServiceProfile" ->
                document.apiVersion().equals("linkerd.io/v1alpha2")
                        || document.apiVersion().equals("linkerd.io/v1alpha1");
            case "TrafficSplit" -> SPLITS.contains(document.apiVersion());
            default -> false;
        };
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (!root.has("spec")) {
                root.error("spec", "is required; add it");
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
