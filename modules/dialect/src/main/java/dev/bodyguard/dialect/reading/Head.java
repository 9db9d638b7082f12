package dev.bodyguard.dialect.reading;

import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What every Kubernetes object begins with.
///
/// @param annotations null where there are none
/// @param created null where the API server has not seen it
/// @param annotated what its annotations say of requests
public record Head(
        Map<String, String> labels,
        @Nullable Fields annotations,
        @Nullable Instant created,
        Annotated annotated) {
    /// Of a Service: the namespaces that see it, with commas between them.
    public static final String EXPORT_TO = "networking.istio.io/exportTo";

    /// Of an AuthorizationPolicy: `true` where it is to decide nothing.
    public static final String DRY_RUN = "istio.io/dry-run";

    /// Which kind obeys an annotation of Istio's; its dialect reads it.
    private static final Map<String, String> OBEYED = Map.of(EXPORT_TO, "Service", DRY_RUN, "AuthorizationPolicy");

    /// Begin those of Istio's that say how requests are treated, and so must not be passed over in silence.
    private static final Set<String> ROUTING =
            Set.of("networking.istio.io/", "topology.istio.io/", "traffic.istio.io/", DRY_RUN);

    /// The same of labels.
    private static final String[] ROUTING_LABELS = {
        "istio.io/persistent-session",
        "istio.io/persistent-session-header",
        "networking.istio.io/enable-autoallocate-ip"
    };

    /// Reads an object whose substance is in `spec`.
    public static Translation translate(Document document, Body body) {
        var problems = new ArrayList<Problem>();
        var root = Fields.of(document, problems);
        root.elsewhere("apiVersion", "kind", "status");
        var read = root.object("metadata", metadata -> read(document.kind(), metadata));
        var head = read == null ? new Head(Map.of(), null, null, Annotated.nothing(root.origin())) : read;
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

    /// The text of an annotation; empty where there is none.
    public String annotation(String name) {
        return annotations == null ? "" : annotations.text(name);
    }

    /// Says that an annotation does not do what its author may think.
    public void warning(String annotation, String message) {
        if (annotations != null) {
            annotations.warning(annotation, message);
        }
    }

    private record Said(Fields annotations, Annotated annotated) {}

    private static Head read(String kind, Fields metadata) {
        DnsName.SUBDOMAIN.check(metadata, "name");
        DnsName.LABEL.check(metadata, "namespace");
        metadata.elsewhere(
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
        var said = metadata.<Said>object("annotations", written -> {
            for (var name : written.written()) {
                if (ROUTING.stream().anyMatch(name::startsWith) && !kind.equals(OBEYED.get(name))) {
                    written.unsupported(name);
                }
            }
            return new Said(written, Annotated.read(written, Annotated.On.kind(kind)));
        });
        var annotations = said == null ? null : said.annotations();
        var annotated = said == null ? Annotated.nothing(metadata.origin()) : said.annotated();
        var labelled = metadata.<Map<String, String>>object("labels", written -> {
            written.unsupported(ROUTING_LABELS);
            var texts = new LinkedHashMap<String, String>();
            written.written().forEach(name -> texts.put(name, written.text(name)));
            return texts;
        });
        var labels = labelled == null ? Map.<String, String>of() : labelled;
        var created = metadata.text("creationTimestamp");
        try {
            return new Head(labels, annotations, created.isEmpty() ? null : Instant.parse(created), annotated);
        } catch (DateTimeParseException wrong) {
            metadata.error("creationTimestamp", "must be a time such as 2026-01-31T12:00:00Z, was " + created);
            return new Head(labels, annotations, null, annotated);
        }
    }
}
