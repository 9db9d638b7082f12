package dev.bodyguard.dialect;

import dev.bodyguard.dialect.bodyguard.BodyguardPolicy;
import dev.bodyguard.dialect.gateway.GatewayApi;
import dev.bodyguard.dialect.istio.IstioNetworking;
import dev.bodyguard.dialect.istio.IstioSecurity;
import dev.bodyguard.dialect.kubernetes.KubernetesCore;
import dev.bodyguard.dialect.linkerd.Linkerd;
import dev.bodyguard.dialect.linkerd.LinkerdPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Every way of writing that is understood here.
public final class Dialects implements Dialect {
    private final Map<Kind, Dialect> speakers = new HashMap<>();
    private final List<Kind> kinds;
    private final Spelling spelling;

    private Dialects(List<Dialect> all) {
        all.forEach(dialect -> dialect.kinds().forEach(kind -> speakers.put(kind, dialect)));
        kinds = all.stream().flatMap(dialect -> dialect.kinds().stream()).toList();
        spelling = new Spelling(kinds);
    }

    /// Istio's networking and security documents, Gateway API's routes of services, Linkerd's ServiceProfile with
    /// SMI's TrafficSplit, and its limits, our own limits, and Kubernetes' own Service and ServiceAccount.
    public static Dialects all() {
        return new Dialects(List.of(
                new IstioNetworking(),
                new IstioSecurity(),
                new GatewayApi(),
                new Linkerd(),
                new LinkerdPolicy(),
                new BodyguardPolicy(),
                new KubernetesCore()));
    }

    @Override
    public List<Kind> kinds() {
        return kinds;
    }

    /// What the document means. One that is misspelt gets an error that says what was meant; one that no dialect
    /// speaks, a warning that names it.
    @Override
    public Translation translate(Document document) {
        return switch (spelling.read(document)) {
            case Spelling.Right(var kind) -> speaker(kind).translate(document);
            case Spelling.Misspelt(var _, var problems) -> new Translation(List.of(), problems);
            case Spelling.Foreign _ ->
                new Translation(
                        List.of(),
                        List.of(new Problem(
                                Problem.Severity.WARNING,
                                document.origin(),
                                "no dialect knows " + document.apiVersion() + " " + document.kind()
                                        + ", so it has no effect; understood are " + spelling.vocabulary())));
        };
    }

    @Override
    public List<Part> inPlaceOf(Document document) {
        return switch (spelling.read(document)) {
            case Spelling.Right(var kind) -> speaker(kind).inPlaceOf(document);
            case Spelling.Misspelt(var meant, var _) -> inPlaceOf(meant);
            case Spelling.Foreign _ -> List.of();
        };
    }

    @Override
    public Document meant(Document document) {
        return spelling.read(document) instanceof Spelling.Misspelt(var meant, var _) ? meant : document;
    }

    private Dialect speaker(Kind kind) {
        var speaker = speakers.get(kind);
        if (speaker == null) {
            throw new IllegalArgumentException("no dialect speaks " + kind);
        }
        return speaker;
    }
}
