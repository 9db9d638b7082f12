package dev.bodyguard.model;

import java.util.Map;
import java.util.TreeMap;

/// One running instance.
///
/// @param name unique in its namespace
/// @param service short name of the service that it registered for, empty where selectors decide
/// @param serviceAccount empty where it has none, and so no identity
/// @param labels with `app` = service, unless the author's labels say otherwise
/// @param address where peers reach it
/// @param ports application port to the port that peers dial for it; empty: they are the same
/// @param namedPorts name of a service's port to the port that peers dial for it
/// @param containerPorts name of a container's port to its number; a pod's
/// @param ready takes requests; one that is not stands only behind services that want it all the same
/// @param meshed peers must speak mutual TLS with it
/// @param weight share of traffic relative to its siblings, 0 where it has no say
public record Workload(
        String namespace,
        String name,
        String service,
        String serviceAccount,
        Map<String, String> labels,
        String address,
        Map<Integer, Integer> ports,
        Map<String, Integer> namedPorts,
        Map<String, Integer> containerPorts,
        boolean ready,
        boolean meshed,
        int weight,
        Origin origin)
        implements Part {
    public Workload {
        var all = new TreeMap<>(labels);
        if (!service.isEmpty()) {
            all.putIfAbsent("app", service);
        }
        labels = Map.copyOf(all);
        ports = Map.copyOf(ports);
        namedPorts = Map.copyOf(namedPorts);
        containerPorts = Map.copyOf(containerPorts);
    }

    /// One that registered itself, with a lease, through its sidecar.
    public static Workload registered(
            String namespace,
            String name,
            String service,
            String serviceAccount,
            Map<String, String> labels,
            String address,
            Map<Integer, Integer> ports,
            boolean meshed) {
        return new Workload(
                namespace,
                name,
                service,
                serviceAccount,
                labels,
                address,
                ports,
                Map.of(),
                Map.of(),
                true,
                meshed,
                0,
                new Origin("Workload", namespace, name, "", null));
    }

    /// Whether it carries all of these labels.
    public boolean carries(Map<String, String> wanted) {
        return labels.entrySet().containsAll(wanted.entrySet());
    }
}
