package dev.bodyguard.xds.snapshot;

import dev.bodyguard.xds.snapshot.DeltaSubscription.Changes;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The incremental protocol: only what changed is sent, and every resource has its own version.
///
/// A generation's changes to a type are told in one response, or in several when they are large; the nonce of all but
/// the last of those ends in [#MORE_FOLLOWS], so that a client which knows this can apply them together.
public final class DeltaSession implements Session<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
    /// The last character of a nonce after which the same batch goes on. Nonces are opaque to other clients.
    public static final String MORE_FOLLOWS = "+";

    private static final String WILDCARD = "*";
    private static final int UNANSWERED = 1_000;

    private final Limits limits;
    private final SortedMap<String, DeltaSubscription> subscriptions = new TreeMap<>(TypeUrls.neededFirst());
    private Resources resources;
    private long nonces;

    public DeltaSession(Resources resources, Limits limits) {
        this.resources = resources;
        this.limits = limits;
    }

    @Override
    public Reaction<DeltaDiscoveryResponse> hear(DeltaDiscoveryRequest request) {
        var typeUrl = request.getTypeUrl();
        if (typeUrl.isEmpty() || typeUrl.length() > limits.nameLength()) {
            return new Reaction.Refusal<>("a request needs a type_url of 1 to " + limits.nameLength()
                    + " characters, this one has " + typeUrl.length());
        }
        var known = subscriptions.get(typeUrl);
        if (known == null && subscriptions.size() >= limits.types()) {
            return new Reaction.Refusal<>(
                    "more than " + limits.types() + " types on one stream; the one too many is " + typeUrl);
        }
        if (request.getInitialResourceVersionsCount() > limits.subscriptions()) {
            return tooMany(typeUrl);
        }
        for (var names : List.of(
                request.getResourceNamesSubscribeList(),
                request.getInitialResourceVersionsMap().keySet(),
                request.getInitialResourceVersionsMap().values())) {
            for (var name : names) {
                if (name.isEmpty() || name.length() > limits.nameLength()) {
                    return new Reaction.Refusal<>("a name or version of " + typeUrl + " must have 1 to "
                            + limits.nameLength() + " characters, one has " + name.length());
                }
            }
        }

        var subscription = known == null ? new DeltaSubscription(typeUrl) : known;
        subscriptions.putIfAbsent(typeUrl, subscription);
        var heard = subscription.answered(request.getResponseNonce(), complaint(request));

        // Only the first request of a type may claim versions, and only the first may mean "everything" by naming
        // nothing.
        var first = known == null;
        if (subscription.unanswered() >= UNANSWERED) {
            return tooManyUnanswered(typeUrl);
        }
        var subscribe = new LinkedHashSet<>(request.getResourceNamesSubscribeList());
        var wildcard = subscribe.remove(WILDCARD) || (first && subscribe.isEmpty());
        var released = subscription.unsubscribe(request.getResourceNamesUnsubscribeList(), WILDCARD);
        var became = wildcard && subscription.subscribeToAll();
        subscription.subscribe(subscribe);
        if (subscription.size() > limits.subscriptions()) {
            return tooMany(typeUrl);
        }

        Changes changes;
        if (first) {
            changes = subscription.comesBackWith(request.getInitialResourceVersionsMap(), resources);
        } else if (became) {
            changes = subscription.everything(resources, subscribe);
        } else {
            changes = subscription.only(resources, subscribe);
        }
        changes = subscription.withReleased(changes, released, resources);

        var send = new ArrayList<DeltaDiscoveryResponse>();
        // A client that came back, or asked for everything, also hears that there is nothing to tell it.
        add(send, subscription, changes.updated(), changes.removed(), became || first);
        return new Reaction.Answer<>(send, heard);
    }

    @Override
    public Reaction<DeltaDiscoveryResponse> offer(Resources next) {
        resources = next;
        var all = new ArrayList<Map.Entry<DeltaSubscription, Changes>>();
        // Clusters come before endpoints. A client that is told a cluster anew does not use it before it was told its
        // endpoints as well, the same as they may be (xDS protocol, "Resource warming").
        Set<String> again = Set.of();
        for (var subscription : subscriptions.values()) {
            if (subscription.unanswered() >= UNANSWERED) {
                return tooManyUnanswered(subscription.typeUrl());
            }
            var changes =
                    subscription.everything(next, subscription.typeUrl().equals(TypeUrls.ENDPOINTS) ? again : Set.of());
            if (subscription.typeUrl().equals(TypeUrls.CLUSTER)) {
                again = changes.updated().stream().map(NamedResource::name).collect(Collectors.toSet());
            }
            all.add(Map.entry(subscription, changes));
        }
        var send = new ArrayList<DeltaDiscoveryResponse>();
        for (var each : all) {
            var removed = TypeUrls.isOrdered(each.getKey().typeUrl())
                    ? Set.<String>of()
                    : each.getValue().removed();
            add(send, each.getKey(), each.getValue().updated(), removed, false);
        }
        for (var each : all.reversed()) {
            if (TypeUrls.isOrdered(each.getKey().typeUrl())) {
                add(send, each.getKey(), List.of(), each.getValue().removed(), false);
            }
        }
        return new Reaction.Answer<>(send, List.of());
    }

    @Override
    public List<String> types() {
        return List.copyOf(subscriptions.keySet());
    }

    @Override
    public Map<String, String> inForce(String typeUrl) {
        var subscription = subscriptions.get(typeUrl);
        return subscription == null ? Map.of() : subscription.inForce();
    }

    @Override
    public Map<String, String> refused(String typeUrl) {
        var subscription = subscriptions.get(typeUrl);
        return subscription == null ? Map.of() : subscription.refused();
    }

    @Override
    public long weight() {
        return subscriptions.values().stream()
                .mapToLong(DeltaSubscription::weight)
                .sum();
    }

    @Override
    public boolean settled() {
        return subscriptions.values().stream().allMatch(each -> each.unanswered() == 0);
    }

    private Reaction<DeltaDiscoveryResponse> tooMany(String typeUrl) {
        return new Reaction.Refusal<>(
                "more than " + limits.subscriptions() + " names of " + typeUrl + " on one stream");
    }

    private static Reaction<DeltaDiscoveryResponse> tooManyUnanswered(String typeUrl) {
        return new Reaction.Refusal<>(
                "the client left " + UNANSWERED + " responses of " + typeUrl + " without ACK or NACK");
    }

    private void add(
            List<DeltaDiscoveryResponse> send,
            DeltaSubscription subscription,
            List<NamedResource> updated,
            Set<String> removed,
            boolean evenIfEmpty) {
        if (updated.isEmpty() && removed.isEmpty() && !evenIfEmpty) {
            return;
        }
        var part = response(subscription);
        var versions = new LinkedHashMap<String, String>();
        long bytes = 0;
        for (var resource : updated) {
            if (bytes > 0 && bytes + resource.body().getSerializedSize() > limits.responseBytes()) {
                send.add(sent(subscription, part, versions, Set.of(), MORE_FOLLOWS));
                part = response(subscription);
                versions = new LinkedHashMap<>();
                bytes = 0;
            }
            bytes += resource.body().getSerializedSize();
            versions.put(resource.name(), resource.version());
            part.addResources(Resource.newBuilder()
                    .setName(resource.name())
                    .addAllAliases(resource.aliases())
                    .setVersion(resource.version())
                    .setResource(resource.body()));
        }
        part.addAllRemovedResources(removed);
        send.add(sent(subscription, part, versions, removed, ""));
    }

    private DeltaDiscoveryResponse.Builder response(DeltaSubscription subscription) {
        return DeltaDiscoveryResponse.newBuilder()
                .setTypeUrl(subscription.typeUrl())
                .setSystemVersionInfo(resources.generation());
    }

    private DeltaDiscoveryResponse sent(
            DeltaSubscription subscription,
            DeltaDiscoveryResponse.Builder response,
            Map<String, String> versions,
            Set<String> removed,
            String suffix) {
        var nonce = ++nonces + suffix;
        subscription.sent(nonce, resources.generation(), versions, removed);
        return response.setNonce(nonce).build();
    }

    private static Complaint complaint(DeltaDiscoveryRequest request) {
        return request.hasErrorDetail() ? Complaint.of(request.getErrorDetail()) : Complaint.NONE;
    }
}
