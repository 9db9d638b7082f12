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
import java.util.List;

/// Every way of writing that is understood here.
public final class Dialects implements Dialect {
    private final List<Dialect> all;

    private Dialects(List<Dialect> all) {
        this.all = all;
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
    public boolean speaks(Document document) {
        return all.stream().anyMatch(dialect -> dialect.speaks(document));
    }

    @Override
    public List<Part> inPlaceOf(Document document) {
        return all.stream()
                .filter(dialect -> dialect.speaks(document))
                .findFirst()
                .map(dialect -> dialect.inPlaceOf(document))
                .orElse(List.of());
    }

    /// What the document means; one that no dialect speaks gets a warning that names it.
    @Override
    public Translation translate(Document document) {
        for (var dialect : all) {
            if (dialect.speaks(document)) {
                return dialect.translate(document);
            }
        }
        return new Translation(
                List.of(),
                List.of(new Problem(
                        Problem.Severity.WARNING,
                        document.origin(),
                        "no dialect knows " + document.apiVersion() + " " + document.kind()
                                + ", so it has no effect; understood are networking.istio.io VirtualService,"
                                + " DestinationRule, ServiceEntry, WorkloadEntry and Sidecar,"
                                + " security.istio.io AuthorizationPolicy and PeerAuthentication,"
                                + " gateway.networking.k8s.io HTTPRoute and GRPCRoute, linkerd.io ServiceProfile,"
                                + " policy.linkerd.io Server and HTTPLocalRateLimitPolicy, bodyguard.dev RateLimit,"
                                + " split.smi-spec.io TrafficSplit, and v1 Service and"
                                + " ServiceAccount")));
    }
}
