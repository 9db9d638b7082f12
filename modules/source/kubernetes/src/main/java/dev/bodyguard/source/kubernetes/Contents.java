package dev.bodyguard.source.kubernetes;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Workload;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a cluster's objects say together. No I/O, and no two threads at once.
final class Contents {
    /// By kind, then by `namespace/name`.
    private final Map<Kind, Map<String, Document>> documents = new HashMap<>();

    final Map<String, Pod> pods = new HashMap<>();
    final Map<String, Slice> slices = new TreeMap<>();
    final Map<String, Selection> services = new HashMap<>();

    private Map<String, Document> toldDocuments = Map.of();
    private Map<String, Workload> toldWorkloads = Map.of();

    /// An object may become another version without saying anything new: a status was written.
    void put(Kind kind, String key, Document document) {
        var ofKind = of(kind);
        ofKind.merge(key, document, (before, now) -> saysTheSame(before, now) ? before : now);
    }

    void replace(Kind kind, Map<String, Document> all) {
        var ofKind = of(kind);
        ofKind.keySet().retainAll(all.keySet());
        all.forEach((key, document) -> put(kind, key, document));
    }

    void remove(Kind kind, String key) {
        of(kind).remove(key);
    }

    void forget(Kind kind) {
        documents.remove(kind);
    }

    /// What is known of an object; null where it is not there.
    @Nullable
    Document document(Kind kind, String key) {
        return of(kind).get(key);
    }

    private Map<String, Document> of(Kind kind) {
        return documents.computeIfAbsent(kind, _ -> new HashMap<>());
    }

    private static boolean saysTheSame(Document one, Document other) {
        return one.apiVersion().equals(other.apiVersion()) && one.root().equals(other.root());
    }

    /// What changed since this was last asked.
    Changes difference() {
        var documentsNow = new HashMap<String, Document>();
        documents.values().forEach(ofKind -> ofKind.values().forEach(one -> documentsNow.put(one.key(), one)));
        var workloadsNow = workloads();
        var changes = new Changes(
                changed(toldDocuments, documentsNow),
                gone(toldDocuments, documentsNow),
                changed(toldWorkloads, workloadsNow),
                gone(toldWorkloads, workloadsNow));
        toldDocuments = documentsNow;
        toldWorkloads = workloadsNow;
        return changes;
    }

    private static <T> List<T> changed(Map<String, T> before, Map<String, T> now) {
        return now.entrySet().stream()
                .filter(entry -> !entry.getValue().equals(before.get(entry.getKey())))
                .map(Map.Entry::getValue)
                .toList();
    }

    private static Set<String> gone(Map<String, ?> before, Map<String, ?> now) {
        var gone = new HashSet<>(before.keySet());
        gone.removeAll(now.keySet());
        return gone;
    }

    private Map<String, Workload> workloads() {
        var all = new HashMap<String, Workload>();
        var unreadyToo = unreadyToo();
        for (var entry : pods.entrySet()) {
            var workload = entry.getValue().workload();
            if (workload.ready()
                    || unreadyToo.getOrDefault(workload.namespace(), List.of()).stream()
                            .anyMatch(one -> workload.carries(one.labels()))) {
                all.put(entry.getKey(), workload);
            }
        }
        var listed = slices.values().stream().filter(this::standsAlone).toList();
        if (!listed.isEmpty()) {
            var byAddress = byAddress();
            for (var slice : listed) {
                for (var address : slice.addresses()) {
                    var workload = endpoint(slice, address, byAddress.get(address));
                    all.putIfAbsent(workload.namespace() + "/" + workload.name(), workload);
                }
            }
        }
        return all;
    }

    private Map<String, List<Selection>> unreadyToo() {
        var all = new HashMap<String, List<Selection>>();
        for (var service : services.values()) {
            if (service.unreadyToo() && !service.labels().isEmpty()) {
                all.computeIfAbsent(service.namespace(), _ -> new ArrayList<>()).add(service);
            }
        }
        return all;
    }

    /// Its service has no selector, so that its endpoints are whatever stands in slices.
    private boolean standsAlone(Slice slice) {
        var service = services.get(slice.namespace() + "/" + slice.service());
        return service != null && service.labels().isEmpty();
    }

    private Map<String, Workload> byAddress() {
        var all = new HashMap<String, Workload>();
        for (var pod : pods.values()) {
            if (!pod.onNode()) {
                all.put(pod.workload().address(), pod.workload());
            }
        }
        return all;
    }

    /// Whoever stands behind it is who it is, whatever led there.
    ///
    /// @param pod with this address, if one has it
    private static Workload endpoint(Slice slice, String address, @Nullable Workload pod) {
        var ports = new HashMap<Integer, Integer>();
        slice.ports().values().forEach(port -> ports.put(port, port));
        // No pod's name has a colon.
        var name = slice.name() + ":" + address;
        return new Workload(
                slice.namespace(),
                name,
                slice.service(),
                pod == null ? "" : pod.serviceAccount(),
                pod == null ? Map.of() : pod.labels(),
                address,
                ports,
                slice.ports(),
                Map.of(),
                true,
                pod != null && pod.meshed(),
                0,
                new Origin("EndpointSlice", slice.namespace(), slice.name(), "", null));
    }
}
