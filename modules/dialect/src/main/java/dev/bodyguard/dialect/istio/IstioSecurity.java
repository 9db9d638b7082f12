package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Nobody;
import dev.bodyguard.dialect.reading.Targets;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PolicyTarget;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Istio's security documents.
public final class IstioSecurity implements Dialect {
    private static final String GROUP = "security.istio.io/";
    private static final Set<String> VERSIONS = Set.of(GROUP + "v1beta1", GROUP + "v1");

    /// In any version: one that is not known is a mistake, and must not be passed over.
    @Override
    public boolean speaks(Document document) {
        return document.apiVersion().startsWith(GROUP)
                && (document.kind().equals("AuthorizationPolicy") || isOfPeers(document));
    }

    private static boolean isOfPeers(Document document) {
        return document.kind().equals("PeerAuthentication");
    }

    @Override
    public List<Part> inPlaceOf(Document document) {
        if (isOfPeers(document)) {
            return List.of(PeerAuthentications.strict(document));
        }
        return List.of(Nobody.comesIn(document, spec -> {
            spec.elsewhere("action", "provider", "rules");
            return Targets.read(spec, document.namespace());
        }));
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (!VERSIONS.contains(document.apiVersion())) {
                root.error("apiVersion", "must be " + GROUP + "v1 or v1beta1, was " + document.apiVersion());
            }
            if (isOfPeers(document)) {
                PeerAuthentications.read(document, root, head, parts);
                return;
            }
            if (!root.has("spec")) {
                // As Istio has it: no spec is an empty one, which allows nobody.
                parts.add(new AuthorizationPolicy(
                        new PolicyTarget.Labelled(document.namespace(), Map.of()),
                        AuthorizationPolicy.Action.ALLOW,
                        List.of(),
                        document.origin()));
            }
            root.<Boolean>object("spec", spec -> {
                AuthorizationPolicies.read(document, spec, parts);
                return true;
            });
        });
    }
}
