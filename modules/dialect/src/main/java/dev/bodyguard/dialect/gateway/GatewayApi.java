package dev.bodyguard.dialect.gateway;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRoutes.Rank;
import dev.bodyguard.model.Part;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Gateway API's HTTPRoute and GRPCRoute for a mesh (GEP-1294), and Linkerd's HTTPRoute, which is an early form of it.
public final class GatewayApi implements Dialect {
    private static final String GROUP = "gateway.networking.k8s.io";

    @Override
    public List<Kind> kinds() {
        return List.of(
                new Kind(GROUP, "HTTPRoute", List.of("v1", "v1beta1")),
                new Kind(GROUP, "GRPCRoute", List.of("v1", "v1alpha2")),
                new Kind("policy.linkerd.io", "HTTPRoute", List.of("v1beta3", "v1beta2", "v1beta1")));
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (!root.has("spec")) {
                root.missing("spec", "is required; add it");
            }
            root.<Boolean>object("spec", spec -> {
                routes(document, spec, head, parts);
                return true;
            });
        });
    }

    private static void routes(Document document, Fields spec, Head head, List<Part> parts) {
        boolean grpc = document.kind().equals("GRPCRoute");
        spec.unsupported("useDefaultGateways");
        if (!spec.texts("hostnames").isEmpty()) {
            spec.warning(
                    "hostnames", "says nothing about the routes of a Service, whose name is its host; leave it out");
        }
        var parents = Parents.read(document, spec);
        var rules = Rules.read(document.namespace(), spec, head.annotated(), grpc ? Matches::grpc : Matches::http);
        if (rules.isEmpty()) {
            return;
        }
        for (var parent : parents) {
            parts.add(new HttpRoutes(
                    grpc ? Rank.GRPC_ROUTE : Rank.HTTP_ROUTE,
                    document.namespace(),
                    List.of(parent.host()),
                    Map.of(parent.host(), parent.hostAt()),
                    parent.port(),
                    Set.of(HttpMatch.MESH),
                    parent.visibility(),
                    rules,
                    null,
                    head.created(),
                    document.origin()));
        }
    }
}
