package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
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
import java.util.stream.Stream;

/// Istio's security documents.
public final class IstioSecurity implements Dialect {
    @Override
    public List<Kind> kinds() {
        return Stream.of("AuthorizationPolicy", "PeerAuthentication")
                .map(name -> new Kind("security.istio.io", name, List.of("v1", "v1beta1")))
                .toList();
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
