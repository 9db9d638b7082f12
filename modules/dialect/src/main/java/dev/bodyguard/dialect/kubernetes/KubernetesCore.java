package dev.bodyguard.dialect.kubernetes;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Exports;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Protocols;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRoutes.OnPort;
import dev.bodyguard.model.HttpRoutes.Rank;
import dev.bodyguard.model.HttpRule;
import dev.bodyguard.model.HttpRule.Action.Forward;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.HttpRule.HeaderEdits;
import dev.bodyguard.model.HttpRule.Retries;
import dev.bodyguard.model.HttpRule.Weighted;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.Service.Backing;
import dev.bodyguard.model.Service.Target;
import dev.bodyguard.model.ServiceAccount;
import dev.bodyguard.model.Visibility;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Kubernetes' own words for services and the accounts that workloads run under.
public final class KubernetesCore implements Dialect {
    @Override
    public List<Kind> kinds() {
        return List.of(new Kind("", "Service", List.of("v1")), new Kind("", "ServiceAccount", List.of("v1")));
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, head, parts) -> {
            if (document.kind().equals("ServiceAccount")) {
                root.elsewhere("secrets", "imagePullSecrets", "automountServiceAccountToken");
                parts.add(new ServiceAccount(document.namespace(), document.name(), document.origin()));
                return;
            }
            if (!root.has("spec")) {
                root.missing("spec", "is required; add it");
            }
            root.<Boolean>object("spec", spec -> {
                service(document, spec, head, parts);
                return true;
            });
        });
    }

    /// The annotation's names; a Service has no field for them.
    private static Visibility exported(Document document, Head head) {
        var written = Stream.of(head.annotation(Head.EXPORT_TO).split(",", -1))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
        return Exports.to(written, document.namespace());
    }

    private static void service(Document document, Fields spec, Head head, List<Part> parts) {
        // How traffic from outside the mesh arrives is between Kubernetes and its nodes.
        spec.elsewhere(
                "ipFamilies",
                "ipFamilyPolicy",
                "externalIPs",
                "externalTrafficPolicy",
                "internalTrafficPolicy",
                "healthCheckNodePort",
                "loadBalancerIP",
                "loadBalancerClass",
                "loadBalancerSourceRanges",
                "allocateLoadBalancerNodePorts",
                "sessionAffinityConfig");
        spec.unsupported("externalName", "trafficDistribution");
        if ("ClientIP".equals(spec.word("sessionAffinity", "None", "ClientIP"))) {
            spec.warning("sessionAffinity", "ClientIP is not supported yet; each request is balanced for itself");
        }
        if ("ExternalName".equals(spec.word("type", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"))) {
            spec.warning("type", "ExternalName is not supported yet, so the service is not known; use a ServiceEntry");
            spec.elsewhere("ports", "selector", "clusterIP", "clusterIPs", "publishNotReadyAddresses");
            return;
        }
        var addresses = addresses(spec);
        var selector = spec.map("selector");
        boolean unreadyToo = spec.bool("publishNotReadyAddresses", false);
        boolean fromFile = document.resourceVersion() == null;
        var ports = spec.list("ports", port -> port(port, fromFile));
        // The API server takes one without, if it is headless.
        if (!spec.has("ports") && fromFile) {
            spec.missing("ports", "is required; add at least one");
        }
        if (!ports.isEmpty()) {
            var visibility = exported(document, head);
            parts.add(new Service(
                    Service.host(document.name(), document.namespace()),
                    document.namespace(),
                    document.name(),
                    ports,
                    addresses,
                    selector.isEmpty() ? new Backing.Registered() : new Backing.Selected(selector, unreadyToo),
                    false,
                    List.of(),
                    visibility,
                    document.origin()));
            if (!head.annotated().isEmpty()) {
                parts.add(annotated(document, head, visibility));
            }
        }
    }

    /// What its annotations say holds for every request to it, where no route says otherwise.
    private static HttpRoutes annotated(Document document, Head head, Visibility visibility) {
        var said = head.annotated();
        var host = Service.host(document.name(), document.namespace());
        return new HttpRoutes(
                Rank.SERVICE,
                document.namespace(),
                List.of(host),
                Map.of(host, document.origin()),
                OnPort.ANY,
                Set.of(HttpMatch.MESH),
                visibility,
                List.of(new HttpRule(
                        "",
                        List.of(),
                        new Forward(List.of(new Weighted(new Destination(host, 0, said.at()), 1, HeaderEdits.NONE))),
                        said.timeout(),
                        said.retries() == null ? new Retries.Unsaid() : said.retries(),
                        null,
                        HeaderEdits.NONE,
                        null,
                        null,
                        said.at())),
                null,
                head.created(),
                said.at());
    }

    /// One of each family; none where it is headless.
    private static List<String> addresses(Fields spec) {
        var all = new LinkedHashSet<String>();
        all.add(spec.text("clusterIP"));
        all.addAll(spec.texts("clusterIPs"));
        all.removeAll(Set.of("", "None"));
        return List.copyOf(all);
    }

    private static Service.@Nullable Port port(Fields port, boolean fromFile) {
        port.elsewhere("nodePort");
        if (!port.has("port")) {
            port.missing("port", "is required; add it");
        }
        int number = port.number("port", 1, 65535, 0);
        var name = port.text("name");
        var protocol = Protocols.read(port, "appProtocol", name);
        var target = target(port, fromFile);
        if (!"TCP".equals(port.word("protocol", "TCP", "UDP", "SCTP")) && port.has("protocol")) {
            port.warning("protocol", "only TCP goes through the mesh; this port is left alone");
            return null;
        }
        return number == 0 ? null : new Service.Port(number, name, protocol, target);
    }

    private static Target target(Fields port, boolean fromFile) {
        if (port.isText("targetPort")) {
            if (fromFile) {
                port.warning(
                        "targetPort",
                        "a port's name means nothing to workloads outside Kubernetes; the workload's only port is used");
            }
            return new Target.Named(port.text("targetPort"));
        }
        int number = port.number("targetPort", 1, 65535, 0);
        return number == 0 ? new Target.Implied() : new Target.Exactly(number);
    }
}
