package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Nobody;
import dev.bodyguard.dialect.reading.Targets;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PolicyTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// Istio's security documents.
public final class IstioSecurity implements Dialect {
    /// As Istio reads a truth value, which is as Go does.
    private static final Set<String> TRUE = Set.of("true", "t", "1");
    private static final Set<String> FALSE = Set.of("false", "f", "0");

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
        if (isTrue(dryRun(document))) {
            return List.of();
        }
        return List.of(Nobody.comesIn(document, spec -> {
            spec.elsewhere("action", "provider", "rules");
            return Targets.read(spec, document);
        }));
    }

    /// What the author wrote as `istio.io/dry-run`, however wrong the rest may be; without quotes, too.
    private static String dryRun(Document document) {
        var written = Fields.of(document, new ArrayList<>())
                .<String>object(
                        "metadata",
                        metadata -> metadata.<String>object(
                                "annotations",
                                all -> all.isText(Head.DRY_RUN)
                                        ? all.text(Head.DRY_RUN)
                                        : String.valueOf(all.bool(Head.DRY_RUN, false))));
        return written == null ? "" : written;
    }

    private static boolean isTrue(String written) {
        return TRUE.contains(written.toLowerCase(Locale.ROOT));
    }

    /// Whether the policy is only being tried, so that it decides nothing.
    private static boolean isTried(Head head) {
        var written = head.annotation(Head.DRY_RUN);
        if (isTrue(written)) {
            head.warning(
                    Head.DRY_RUN,
                    "true: the policy is not enforced, as asked; what it would decide is not recorded yet");
            return true;
        }
        if (!written.isEmpty() && !FALSE.contains(written.toLowerCase(Locale.ROOT))) {
            head.warning(
                    Head.DRY_RUN,
                    "must be true or false, was " + written + "; the policy is enforced, write true to only try it");
        }
        return false;
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (isOfPeers(document)) {
                PeerAuthentications.read(document, root, head, parts);
                return;
            }
            boolean tried = isTried(head);
            if (!root.has("spec") && !tried) {
                // As Istio has it: no spec is an empty one, which allows nobody.
                parts.add(new AuthorizationPolicy(
                        new PolicyTarget.Labelled(document.namespace(), Map.of(), Targets.namespace(document)),
                        AuthorizationPolicy.Action.ALLOW,
                        List.of(),
                        document.origin()));
            }
            root.<Boolean>object("spec", spec -> {
                AuthorizationPolicies.read(document, spec, tried ? new ArrayList<>() : parts);
                return true;
            });
        });
    }
}
