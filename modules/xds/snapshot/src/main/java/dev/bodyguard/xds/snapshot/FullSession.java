package dev.bodyguard.xds.snapshot;

import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The older protocol, state of the world: a response holds everything of its type that the client subscribed to, and
/// a request names everything that it subscribes to.
///
/// Of listeners and clusters, what a response does not hold is deleted by the client. There, make before break takes
/// two responses: one with the old and the new, and once everything that needs them was told, one with the new alone.
public final class FullSession implements Session<DiscoveryRequest, DiscoveryResponse> {
    private static final String WILDCARD = "*";
    private static final int UNANSWERED = 1_000;
    private static final Set<String> ABSENT_MEANS_DELETED = Set.of(TypeUrls.LISTENER, TypeUrls.CLUSTER);

    private final Limits limits;
    private final SortedMap<String, Subscription> subscriptions = new TreeMap<>(TypeUrls.neededFirst());
    private Resources resources;
    private long nonces;

    private record Sent(String generation, Map<String, String> versions) {
        long weight() {
            return Weight.NAME + Weight.ofReferences(versions.size());
        }
    }

    private static final class Subscription {
        private final String typeUrl;
        private boolean all;
        private Set<String> names = Set.of();
        // What the client was last sent, and how that is called.
        private Map<String, NamedResource> held = Map.of();
        private String version = "";
        private String nonce = "";
        private final Map<String, Sent> unanswered = new LinkedHashMap<>();
        private final Map<String, String> inForce = new HashMap<>();
        private final Map<String, String> refused = new HashMap<>();

        Subscription(String typeUrl) {
            this.typeUrl = typeUrl;
        }

        long weight() {
            return Weight.ofNames(names)
                    + unanswered.values().stream().mapToLong(Sent::weight).sum()
                    + Weight.ofReasons(refused.values());
        }

        Map<String, NamedResource> wanted(Resources resources) {
            var wanted = new TreeMap<String, NamedResource>();
            for (var name : all ? resources.names(typeUrl) : names) {
                resources.find(typeUrl, name).ifPresent(resource -> wanted.put(resource.name(), resource));
            }
            return wanted;
        }

        /// Which of these the client has in another version.
        Set<String> changed(Map<String, NamedResource> made) {
            return held.values().stream()
                    .filter(old -> {
                        var next = made.get(old.name());
                        return next != null && !next.version().equals(old.version());
                    })
                    .map(NamedResource::name)
                    .collect(Collectors.toSet());
        }

        List<Heard> answered(String nonce, Complaint complaint) {
            var sent = unanswered.remove(nonce);
            if (sent == null) {
                return List.of();
            }
            var reasons = complaint.reasons(sent.versions.keySet());
            if (!complaint.made()) {
                refused.clear();
            }
            sent.versions.forEach((name, version) -> {
                var reason = reasons.get(name);
                if (reason == null) {
                    inForce.put(name, version);
                    refused.remove(name);
                } else {
                    refused.put(name, reason);
                }
            });
            // What is refused may still be had in an older version; what was not sent is gone.
            inForce.keySet().retainAll(sent.versions.keySet());
            refused.keySet().retainAll(sent.versions.keySet());
            return List.of(
                    complaint.made()
                            ? new Heard.Nacked(typeUrl, sent.generation, List.copyOf(reasons.keySet()), complaint.why())
                            : new Heard.Acked(typeUrl, sent.generation));
        }
    }

    public FullSession(Resources resources, Limits limits) {
        this.resources = resources;
        this.limits = limits;
    }

    @Override
    public Reaction<DiscoveryResponse> hear(DiscoveryRequest request) {
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
        if (request.getResourceNamesCount() > limits.subscriptions()) {
            return new Reaction.Refusal<>(
                    "more than " + limits.subscriptions() + " names of " + typeUrl + " on one stream");
        }
        for (var name : request.getResourceNamesList()) {
            if (name.isEmpty() || name.length() > limits.nameLength()) {
                return new Reaction.Refusal<>("a name of " + typeUrl + " must have 1 to " + limits.nameLength()
                        + " characters, one has " + name.length());
            }
        }

        var first = known == null;
        var subscription = known == null ? new Subscription(typeUrl) : known;
        subscriptions.putIfAbsent(typeUrl, subscription);
        var nonce = request.getResponseNonce();
        List<Heard> heard = List.of();
        if (!first && !nonce.isEmpty()) {
            heard = subscription.answered(
                    nonce, request.hasErrorDetail() ? Complaint.of(request.getErrorDetail()) : Complaint.NONE);
            if (!nonce.equals(subscription.nonce)) {
                // Said before the newest response was read; the answer to that one names the subscription again.
                return new Reaction.Answer<>(List.of(), heard);
            }
        }

        if (subscription.unanswered.size() >= UNANSWERED) {
            return tooManyUnanswered(typeUrl);
        }
        var names = new LinkedHashSet<>(request.getResourceNamesList());
        // Naming nothing means everything, until the client has once named something.
        var all = names.remove(WILDCARD)
                || (names.isEmpty() && (first || (subscription.all && subscription.names.isEmpty())));
        var more = first || (all && !subscription.all) || !subscription.names.containsAll(names);
        subscription.all = all;
        subscription.names = names;
        var send = new ArrayList<DiscoveryResponse>();
        if (more) {
            send.add(response(subscription, subscription.wanted(resources)));
        }
        return new Reaction.Answer<>(send, heard);
    }

    @Override
    public Reaction<DiscoveryResponse> offer(Resources next) {
        resources = next;
        var send = new ArrayList<DiscoveryResponse>();
        // Clusters come before endpoints. A client that is told a cluster anew does not use it before it was told its
        // endpoints as well, the same as they may be (xDS protocol, "Resource warming").
        Set<String> again = Set.of();
        for (var subscription : subscriptions.values()) {
            if (subscription.unanswered.size() >= UNANSWERED) {
                return tooManyUnanswered(subscription.typeUrl);
            }
            var made = subscription.wanted(next);
            if (ABSENT_MEANS_DELETED.contains(subscription.typeUrl)) {
                subscription.held.forEach(made::putIfAbsent);
            }
            if (subscription.typeUrl.equals(TypeUrls.CLUSTER)) {
                again = subscription.changed(made);
            }
            if (subscription.typeUrl.equals(TypeUrls.ENDPOINTS) && !Collections.disjoint(made.keySet(), again)) {
                send.add(response(subscription, made));
            } else {
                addIfNew(send, subscription, made);
            }
        }
        for (var subscription : List.copyOf(subscriptions.values()).reversed()) {
            addIfNew(send, subscription, subscription.wanted(next));
        }
        return new Reaction.Answer<>(send, List.of());
    }

    private static Reaction<DiscoveryResponse> tooManyUnanswered(String typeUrl) {
        return new Reaction.Refusal<>(
                "the client left " + UNANSWERED + " responses of " + typeUrl + " without ACK or NACK");
    }

    private void addIfNew(List<DiscoveryResponse> send, Subscription subscription, Map<String, NamedResource> wanted) {
        if (!version(wanted).equals(subscription.version)) {
            send.add(response(subscription, wanted));
        }
    }

    private DiscoveryResponse response(Subscription subscription, Map<String, NamedResource> wanted) {
        var versions = new LinkedHashMap<String, String>();
        var response = DiscoveryResponse.newBuilder().setTypeUrl(subscription.typeUrl);
        wanted.forEach((name, resource) -> {
            versions.put(name, resource.version());
            response.addResources(resource.body());
        });
        subscription.held = wanted;
        subscription.version = version(wanted);
        subscription.nonce = String.valueOf(++nonces);
        subscription.unanswered.put(subscription.nonce, new Sent(resources.generation(), versions));
        return response.setVersionInfo(subscription.version)
                .setNonce(subscription.nonce)
                .build();
    }

    /// Equal exactly if the resources and their versions are.
    private static String version(Map<String, NamedResource> wanted) {
        var text = new StringBuilder();
        wanted.forEach((name, resource) ->
                text.append(name).append('\0').append(resource.version()).append('\0'));
        return NamedResource.version(text.toString());
    }

    @Override
    public List<String> types() {
        return List.copyOf(subscriptions.keySet());
    }

    @Override
    public Map<String, String> inForce(String typeUrl) {
        var subscription = subscriptions.get(typeUrl);
        return subscription == null ? Map.of() : Map.copyOf(subscription.inForce);
    }

    @Override
    public Map<String, String> refused(String typeUrl) {
        var subscription = subscriptions.get(typeUrl);
        return subscription == null ? Map.of() : Map.copyOf(subscription.refused);
    }

    @Override
    public long weight() {
        return subscriptions.values().stream().mapToLong(Subscription::weight).sum();
    }

    @Override
    public boolean settled() {
        return subscriptions.values().stream().allMatch(each -> each.unanswered.isEmpty());
    }
}
