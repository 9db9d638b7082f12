package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Protocols;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Locality;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.Service.Backing;
import dev.bodyguard.model.Service.Target;
import dev.bodyguard.model.Workload;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// ServiceEntry and WorkloadEntry: services and instances that nobody registered.
final class Entries {
    private Entries() {}

    static void service(Document document, Fields spec, List<Part> parts) {
        var namespace = document.namespace();
        var hosts = spec.texts("hosts");
        if (hosts.isEmpty()) {
            spec.missing("hosts", "is required; name at least one host");
        }
        hosts.forEach(host -> Hosts.checked(spec, "hosts", host));
        var addresses = spec.texts("addresses");
        for (var address : addresses) {
            if (address.contains("/")) {
                spec.warning("addresses", "a range is not supported yet and has no effect, was " + address);
            }
        }
        boolean external = !"MESH_INTERNAL".equals(spec.word("location", "MESH_EXTERNAL", "MESH_INTERNAL"));
        var resolution = spec.word("resolution", "NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS");
        if ("DYNAMIC_DNS".equals(resolution)) {
            spec.error("resolution", "DYNAMIC_DNS is not supported yet; write DNS with endpoints, or NONE");
        }
        var ports = spec.list("ports", Entries::port);
        if (ports.isEmpty()) {
            spec.missing("ports", "is required; add at least one");
        }
        var numbers = ports.stream().map(Service.Port::number).distinct().count();
        if (numbers < ports.size()) {
            spec.error("ports", "must have every number only once");
        }
        var selected = spec.<Map<String, String>>object("workloadSelector", selector -> selector.map("labels"));
        boolean dns = "DNS".equals(resolution) || "DNS_ROUND_ROBIN".equals(resolution);
        var count = new int[1];
        var listed = spec.list("endpoints", endpoint -> {
            var address = endpoint.text("address");
            if (!dns && !address.isEmpty() && !isIp(address)) {
                endpoint.error(
                        "address",
                        "must be an IP address, was " + address
                                + "; write resolution: DNS beside endpoints for a name that is to be looked up");
            }
            return instance(document, endpoint, document.name() + "-" + count[0]++, Map.of());
        });
        if (selected != null && !listed.isEmpty()) {
            spec.error("endpoints", "cannot stand beside workloadSelector; remove one of the two");
        }
        var identities = spec.texts("subjectAltNames");
        var visibility = Hosts.exportTo(spec, namespace);
        for (var host :
                hosts.stream().map(one -> Hosts.full(one, namespace)).distinct().toList()) {
            if (ports.isEmpty()) {
                return;
            }
            var name = shortName(host, namespace);
            parts.add(new Service(
                    host,
                    namespace,
                    name,
                    ports,
                    addresses.stream().filter(one -> !one.contains("/")).toList(),
                    backing(document, host, resolution, dns, selected, listed, external && name.equals(host)),
                    external,
                    identities,
                    visibility,
                    document.origin()));
        }
    }

    /// Whether it is an address in full: what Java reads besides, `10.1` or `[::1]`, an Envoy does not.
    private static boolean isIp(String text) {
        if (!text.matches("[0-9]+(\\.[0-9]+){3}|[0-9a-fA-F.:]*:[0-9a-fA-F.:]*")) {
            return false;
        }
        try {
            var _ = InetAddress.ofLiteral(text);
            return true;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }

    private static String shortName(String host, String namespace) {
        var suffix = Service.host("", namespace);
        return host.endsWith(suffix) && host.length() > suffix.length()
                ? host.substring(0, host.length() - suffix.length())
                : host;
    }

    private static Backing backing(
            Document document,
            String host,
            @Nullable String resolution,
            boolean dns,
            @Nullable Map<String, String> selected,
            List<Workload> listed,
            boolean outside) {
        if (selected != null) {
            return new Backing.Selected(selected);
        }
        if (!listed.isEmpty()) {
            return dns ? new Backing.Resolved(listed) : new Backing.Listed(listed);
        }
        if (dns) {
            return new Backing.Resolved(List.of(workload(document, document.name(), host)));
        }
        if ("STATIC".equals(resolution) || !outside) {
            return new Backing.Registered();
        }
        return new Backing.OriginalDestination();
    }

    private static Workload workload(Document document, String name, String address) {
        return new Workload(
                document.namespace(),
                name,
                "",
                "",
                Map.of(),
                address,
                Map.of(),
                Map.of(),
                Map.of(),
                true,
                false,
                0,
                document.origin());
    }

    private static Service.@Nullable Port port(Fields port) {
        if (!port.has("number")) {
            port.missing("number", "is required; add it");
        }
        int number = port.number("number", 1, 65535, 0);
        var name = port.text("name");
        var protocol = Protocols.read(port, "protocol", name);
        int target = port.number("targetPort", 1, 65535, 0);
        return number == 0
                ? null
                : new Service.Port(
                        number, name, protocol, target == 0 ? new Target.Implied() : new Target.Exactly(target));
    }

    static void workload(Document document, Fields spec, Head head, List<Part> parts) {
        parts.add(instance(document, spec, document.name(), head.labels()));
    }

    private static Workload instance(Document document, Fields entry, String name, Map<String, String> inherited) {
        entry.unsupported("network");
        var labels = located(entry, entry.has("labels") ? entry.map("labels") : inherited);
        return new Workload(
                document.namespace(),
                name,
                "",
                entry.text("serviceAccount"),
                labels,
                entry.required("address"),
                Map.of(),
                entry.numbers("ports", 1, 65535),
                Map.of(),
                true,
                "istio".equals(labels.get("security.istio.io/tlsMode")),
                entry.number("weight", 0, Integer.MAX_VALUE, 0),
                entry.origin());
    }

    /// Where it is stands with a pod in its labels, so it does with others.
    private static Map<String, String> located(Fields entry, Map<String, String> labels) {
        var written = entry.text("locality");
        if (written.isEmpty()) {
            return labels;
        }
        var where = Locality.of(written);
        var all = new HashMap<>(labels);
        all.remove("topology.istio.io/locality");
        all.remove("istio-locality");
        all.put("topology.kubernetes.io/region", where.region());
        all.put("topology.kubernetes.io/zone", where.zone());
        all.put("topology.istio.io/subzone", where.subzone());
        return all;
    }
}
