package dev.bodyguard.xds.snapshot;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One type on one delta stream: what the client wants, what it was sent, what it has in force.
final class DeltaSubscription {
    // In place of a resource's name; no resource can be called so.
    private static final String NOT_TOLD_YET = "";
    private static final String TOLD_NOTHING = "*";

    private final String typeUrl;
    private boolean all;
    /// Subscribed name to the name of the resource that it meant when last told.
    private final Map<String, String> meaning = new LinkedHashMap<>();

    private long weight;
    /// Resource to the version that was sent or that the client came with.
    private final Map<String, String> held = new HashMap<>();

    private final Map<String, String> inForce = new HashMap<>();
    private final Map<String, String> refused = new HashMap<>();
    private final Map<String, Sent> unanswered = new LinkedHashMap<>();
    private long unansweredWeight;

    private record Sent(String generation, Map<String, String> versions, Set<String> removed) {
        Sent {
            versions = Map.copyOf(versions);
            removed = Set.copyOf(removed);
        }

        long weight() {
            return Weight.NAME + Weight.ofReferences(versions.size()) + Weight.ofNames(removed);
        }
    }

    /// @param updated to be sent, whether new, changed or asked for again
    /// @param removed names of which the client must know that there is nothing (any more)
    record Changes(List<NamedResource> updated, Set<String> removed) {}

    DeltaSubscription(String typeUrl) {
        this.typeUrl = typeUrl;
    }

    String typeUrl() {
        return typeUrl;
    }

    int size() {
        return meaning.size();
    }

    long weight() {
        return weight + unansweredWeight + Weight.ofReasons(refused.values());
    }

    int unanswered() {
        return unanswered.size();
    }

    Map<String, String> inForce() {
        return Map.copyOf(inForce);
    }

    Map<String, String> refused() {
        return Map.copyOf(refused);
    }

    /// The client comes back and says that it has these. Of what it says only that is kept which is so: the rest names
    /// what nobody serves, or versions of its own invention.
    Changes comesBackWith(Map<String, String> claimed, Resources resources) {
        held.putAll(claimed);
        var changes = everything(resources, Set.of());
        claimed.forEach((name, version) -> {
            if (version.equals(held.get(name))) {
                inForce.put(name, version);
            }
        });
        return changes;
    }

    /// True if it had not before.
    boolean subscribeToAll() {
        var before = all;
        all = true;
        return !before;
    }

    void subscribe(Collection<String> names) {
        for (var name : names) {
            if (meaning.putIfAbsent(name, NOT_TOLD_YET) == null) {
                weight += Weight.ofName(name);
            }
        }
    }

    /// Returns the names that the client gave up but may still have under its wildcard: it must be told which it is
    /// (xDS protocol, "Unsubscribing from resources").
    Set<String> unsubscribe(Collection<String> names, String wildcard) {
        var released = new LinkedHashSet<String>();
        if (names.contains(wildcard) && all) {
            all = false;
            forgetAllBut(new HashSet<>(meaning.values()));
        }
        for (var name : names) {
            var meant = meaning.remove(name);
            if (meant == null) {
                continue;
            }
            weight -= Weight.ofName(name);
            if (all) {
                released.add(name);
            } else if (!meaning.containsValue(meant)) {
                forget(meant);
            }
        }
        return released;
    }

    private void forgetAllBut(Set<String> names) {
        held.keySet().retainAll(names);
        inForce.keySet().retainAll(names);
        refused.keySet().retainAll(names);
    }

    private void forget(String name) {
        held.remove(name);
        inForce.remove(name);
        refused.remove(name);
    }

    /// Compares all that the client wants with what it has.
    ///
    /// @param again names to be answered even if the client has them
    Changes everything(Resources resources, Set<String> again) {
        var updated = new LinkedHashMap<String, NamedResource>();
        var removed = new LinkedHashSet<String>();
        var wanted = new HashSet<String>();
        if (all) {
            for (var name : resources.names(typeUrl)) {
                resources.find(typeUrl, name).ifPresent(resource -> {
                    wanted.add(resource.name());
                    if (!resource.version().equals(held.get(resource.name()))) {
                        updated.put(resource.name(), resource);
                    }
                });
            }
        }
        for (var subscribed : meaning.entrySet()) {
            var name = subscribed.getKey();
            subscribed.setValue(
                    compare(resources, name, subscribed.getValue(), again.contains(name), updated, removed));
            wanted.add(subscribed.getValue());
        }
        for (var name : List.copyOf(held.keySet())) {
            if (!wanted.contains(name)) {
                held.remove(name);
                removed.add(name);
            }
        }
        return told(updated, removed);
    }

    /// Answers for these subscribed names, whether the client has them or not.
    Changes only(Resources resources, Collection<String> names) {
        var updated = new LinkedHashMap<String, NamedResource>();
        var removed = new LinkedHashSet<String>();
        for (var name : names) {
            meaning.computeIfPresent(name, (_, before) -> compare(resources, name, before, true, updated, removed));
        }
        return told(updated, removed);
    }

    Changes withReleased(Changes changes, Set<String> released, Resources resources) {
        if (released.isEmpty()) {
            return changes;
        }
        var updated = new LinkedHashMap<String, NamedResource>();
        changes.updated().forEach(resource -> updated.put(resource.name(), resource));
        var removed = new LinkedHashSet<>(changes.removed());
        var visible = new HashSet<>(resources.names(typeUrl));
        for (var name : released) {
            var found = resources.find(typeUrl, name).filter(resource -> visible.contains(resource.name()));
            if (found.isPresent()) {
                updated.put(found.get().name(), found.get());
            } else {
                held.remove(name);
                removed.add(name);
            }
        }
        return told(updated, removed);
    }

    /// Returns what the subscribed name means now.
    private String compare(
            Resources resources,
            String name,
            String before,
            boolean again,
            Map<String, NamedResource> updated,
            Set<String> removed) {
        var found = resources.find(typeUrl, name);
        if (found.isEmpty()) {
            if (again || !before.equals(TOLD_NOTHING)) {
                removed.add(name);
            }
            return TOLD_NOTHING;
        }
        var resource = found.get();
        if (again || !resource.version().equals(held.get(resource.name()))) {
            updated.put(resource.name(), resource);
        }
        return resource.name();
    }

    private Changes told(Map<String, NamedResource> updated, Set<String> removed) {
        updated.forEach((name, resource) -> held.put(name, resource.version()));
        return new Changes(new ArrayList<>(updated.values()), removed);
    }

    void sent(String nonce, String generation, Map<String, String> versions, Set<String> removed) {
        var sent = new Sent(generation, versions, removed);
        unanswered.put(nonce, sent);
        unansweredWeight += sent.weight();
    }

    /// An ACK or a NACK came in; an unknown nonce (an empty one, one answered before) is neither.
    List<Heard> answered(String nonce, Complaint complaint) {
        var sent = unanswered.remove(nonce);
        if (sent == null) {
            return List.of();
        }
        unansweredWeight -= sent.weight();
        for (var name : sent.removed) {
            // Unless it has come back in a response since.
            if (!held.containsKey(name)) {
                inForce.remove(name);
                refused.remove(name);
            }
        }
        var reasons = complaint.reasons(sent.versions.keySet());
        sent.versions.forEach((name, version) -> {
            // Given up in the meantime: what the client has of it no longer concerns anyone.
            if (!held.containsKey(name)) {
                return;
            }
            var reason = reasons.get(name);
            if (reason == null) {
                inForce.put(name, version);
                refused.remove(name);
            } else {
                refused.put(name, reason);
            }
        });
        return List.of(
                complaint.made()
                        ? new Heard.Nacked(typeUrl, sent.generation, List.copyOf(reasons.keySet()), complaint.why())
                        : new Heard.Acked(typeUrl, sent.generation));
    }
}
