package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.PolicyTarget;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Istio's security documents.
public final class IstioSecurity implements Dialect {
    private static final Set<String> VERSIONS = Set.of("security.istio.io/v1beta1", "security.istio.io/v1");

    @Override
    public boolean speaks(Document document) {
        return VERSIONS.contains(document.apiVersion()) && document.kind().equals("AuthorizationPolicy");
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, _, parts) -> {
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
