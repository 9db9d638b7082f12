package dev.bodyguard.dialect.reading;

import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What every Kubernetes object begins with.
///
/// @param created null where the API server has not seen it
public record Head(Map<String, String> labels, @Nullable Instant created) {
    /// Annotations that say how requests are treated, and so must not be passed over in silence.
    private static final Set<String> ROUTING =
            Set.of("retry.linkerd.io/", "timeout.linkerd.io/", "balancer.linkerd.io/", "balancer.alpha.linkerd.io/");

    /// Reads an object whose substance is in `spec`.
    public static Translation translate(Document document, Body body) {
        var problems = new ArrayList<Problem>();
        var root = Fields.of(document, problems);
        root.elsewhere("apiVersion", "kind", "status");
        var read = root.object("metadata", Head::read);
        var head = read == null ? new Head(Map.of(), null) : read;
        List<Part> parts = new ArrayList<>();
        body.read(root, head, parts);
        root.done();
        boolean refused = problems.stream().anyMatch(problem -> problem.severity() == Problem.Severity.ERROR);
        return new Translation(refused ? List.of() : parts, problems);
    }

    /// Reads the rest of an object into parts.
    public interface Body {
        void read(Fields root, Head head, List<Part> parts);
    }

    private static Head read(Fields metadata) {
        metadata.elsewhere(
                "name",
                "namespace",
                "uid",
                "resourceVersion",
                "generation",
                "generateName",
                "managedFields",
                "ownerReferences",
                "finalizers",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "selfLink");
        metadata.<Boolean>object("annotations", annotations -> {
            for (var name : annotations.written()) {
                if (ROUTING.stream().anyMatch(name::startsWith)) {
                    annotations.unsupported(name);
                }
                annotations.elsewhere(name);
            }
            return true;
        });
        var labels = metadata.map("labels");
        var created = metadata.text("creationTimestamp");
        try {
            return new Head(labels, created.isEmpty() ? null : Instant.parse(created));
        } catch (DateTimeParseException wrong) {
            metadata.error("creationTimestamp", "must be a time such as 2026-01-31T12:00:00Z, was " + created);
            return new Head(labels, null);
        }
    }
}
