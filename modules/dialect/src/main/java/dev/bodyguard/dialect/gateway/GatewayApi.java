package dev.bodyguard.dialect.gateway;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRoutes.Rank;
import dev.bodyguard.model.Part;
import java.util.List;
import java.util.Set;

/// Gateway API's HTTPRoute and GRPCRoute for a mesh (GEP-1294), and Linkerd's HTTPRoute, which is an early form of it.
public final class GatewayApi implements Dialect {
    private static final Set<String> HTTP = Set.of(
            "gateway.networking.k8s.io/v1",
            "gateway.networking.k8s.io/v1beta1",
            "policy.linkerd.io/v1beta1",
            "policy.linkerd.io/v1beta2",
            "policy.linkerd.io/v1beta3");
    private static final Set<String> GRPC =
            Set.of("gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1alpha2");

    @Override
    public boolean speaks(Document document) {
        return switch (document.kind()) {
            case "HTTPRoute" -> HTTP.contains(document.apiVersion());
            case "GRPCRoute" -> GRPC.contains(document.apiVersion());
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
        var rules = Rules.read(document.namespace(), spec, grpc ? Matches::grpc : Matches::http);
        if (rules.isEmpty()) {
            return;
        }
        for (var parent : parents) {
            parts.add(new HttpRoutes(
                    grpc ? Rank.GRPC_ROUTE : Rank.HTTP_ROUTE,
                    document.namespace(),
                    List.of(parent.host()),
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
