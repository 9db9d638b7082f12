package dev.bodyguard.proxy.engine;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What the control plane sent, each resource compiled in its last good form. Owned by one thread.
public final class Resources {
    private static final String TYPES = "type.googleapis.com/envoy.config.";

    /// Type URLs of what can be applied.
    public static final String LISTENER = TYPES + "listener.v3.Listener";

    public static final String VIRTUAL_HOST = TYPES + "route.v3.VirtualHost";
    public static final String CLUSTER = TYPES + "cluster.v3.Cluster";
    public static final String ASSIGNMENT = TYPES + "endpoint.v3.ClusterLoadAssignment";

    private final Loads loads;
    private final Rates rates = new Rates();
    private final Map<String, Listeners.Side> listeners = new HashMap<>();
    private final Map<String, HostState> hosts = new HashMap<>();
    private final Map<String, ClusterState> clusters = new HashMap<>();
    private final Map<String, AssignmentState> assignments = new HashMap<>();

    /// Nothing received.
    public Resources(Loads loads) {
        this.loads = loads;
    }

    /// Takes one response of a type.
    ///
    /// @param type the type URL; an unknown one has every resource rejected
    /// @param changed resources by the name they were subscribed by
    /// @param removed names that are answered not to exist (any more)
    /// @return the resources that are invalid, to be named in a NACK; all others are applied
    public List<Rejected> apply(String type, Map<String, Any> changed, Collection<String> removed) {
        var rejected = new ArrayList<Rejected>();
        changed.forEach((name, resource) -> {
            try {
                if (!resource.getTypeUrl().equals(type)) {
                    throw new Invalid("type_url", "must be " + type + ", was " + resource.getTypeUrl());
                }
                apply(type, name, resource);
            } catch (Invalid wrong) {
                rejected.add(new Rejected(name, String.valueOf(wrong.getMessage())));
            } catch (InvalidProtocolBufferException broken) {
                rejected.add(new Rejected(name, "cannot be read as " + type + ": " + broken.getMessage()));
            }
        });
        removed.forEach(name -> remove(type, name));
        settle();
        return List.copyOf(rejected);
    }

    private void apply(String type, String name, Any resource) throws Invalid, InvalidProtocolBufferException {
        switch (type) {
            case LISTENER ->
                listeners.put(name, Listeners.compile(name, Listener.parseFrom(resource.getValue()), rates));
            case VIRTUAL_HOST -> host(name).pending = Hosts.compile(VirtualHost.parseFrom(resource.getValue()));
            case CLUSTER -> {
                Cluster cluster = Cluster.parseFrom(resource.getValue());
                if (!cluster.getName().equals(name)) {
                    throw new Invalid("name", "must be the resource's, " + name + ", was " + cluster.getName());
                }
                Clusters.Spec spec = Clusters.compile(cluster);
                ClusterState state = clusters.computeIfAbsent(name, _ -> new ClusterState());
                state.spec = spec;
                state.removed = false;
                state.built = null;
            }
            case ASSIGNMENT -> {
                Clusters.Assignment assignment =
                        Clusters.compile(ClusterLoadAssignment.parseFrom(resource.getValue()), "");
                AssignmentState state = assignments.computeIfAbsent(name, _ -> new AssignmentState());
                state.assignment = assignment;
                state.removed = false;
            }
            default -> throw new Invalid("type_url", "must be a listener, virtual host, cluster or load assignment");
        }
    }

    private void remove(String type, String name) {
        switch (type) {
            case LISTENER -> listeners.remove(name);
            case VIRTUAL_HOST -> {
                HostState host = host(name);
                host.inForce = null;
                host.pending = null;
                host.absent = true;
            }
            case CLUSTER -> clusters.computeIfAbsent(name, _ -> new ClusterState()).removed = true;
            case ASSIGNMENT -> assignments.computeIfAbsent(name, _ -> new AssignmentState()).removed = true;
            default -> {}
        }
    }

    private HostState host(String name) {
        return hosts.computeIfAbsent(name, _ -> new HostState());
    }

    /// Forgets a host that is not subscribed to any more.
    public void forget(String host) {
        hosts.remove(host);
    }

    /// What is in force now. A new virtual host is left out, and the one before it stays, while clusters or endpoints
    /// that it mentions were not answered yet. Clusters that did not change are the same objects as in the plan
    /// before.
    public Plan plan() {
        settle();
        var ruled = new HashMap<String, Hosts.Host>();
        var absent = new HashSet<String>();
        var leaving = new HashSet<String>();
        hosts.forEach((name, state) -> {
            if (state.inForce != null) {
                ruled.put(name, state.inForce);
                if (state.pending != null) {
                    leaving.addAll(state.inForce.clusters());
                }
            } else if (state.absent && state.pending == null) {
                absent.add(name);
            }
        });
        var built = new HashMap<String, ClusterPlan>();
        clusters.forEach((name, state) -> {
            // Removed, but a host in force still leads there and its next version waits: break only after make.
            boolean kept = leaving.contains(name);
            if (state.spec != null && (!state.removed || kept)) {
                built.put(name, state.build(assignment(state.spec, kept), loads));
            }
        });
        var inbound = new HashMap<Integer, InboundRule>();
        Routing.Fallback fallback = Plan.EMPTY.fallback();
        for (Listeners.Side side : listeners.values()) {
            switch (side) {
                case Listeners.Outbound outbound -> fallback = outbound.fallback();
                case Listeners.Inbound in -> inbound.putAll(in.ports());
            }
        }
        loads.keepOnly(built);
        rates.keepOnly(listeners.values().stream()
                .flatMap(side -> side.counted().stream())
                .toList());
        return new Plan(ruled, absent, built, inbound, fallback);
    }

    private Clusters.Assignment assignment(Clusters.Spec spec, boolean kept) {
        if (spec.inline() != null) {
            return spec.inline();
        }
        AssignmentState state = spec.assignment() == null ? null : assignments.get(spec.assignment());
        return state == null || (state.removed && !kept) ? Clusters.Assignment.EMPTY : state.assignment;
    }

    /// What listeners and hosts mention, and so has to be subscribed to. What they do not mention any more is
    /// forgotten: the caller unsubscribes from it, and subscribing again brings it anew.
    public Wanted wanted() {
        settle();
        var names = new TreeSet<String>();
        listeners.values().forEach(side -> names.addAll(side.clusters()));
        hosts.values().forEach(state -> {
            if (state.inForce != null) {
                names.addAll(state.inForce.clusters());
            }
            if (state.pending != null) {
                names.addAll(state.pending.clusters());
            }
        });
        clusters.keySet().retainAll(names);
        var places = new TreeSet<String>();
        clusters.values().forEach(state -> {
            if (state.spec != null && state.spec.assignment() != null) {
                places.add(state.spec.assignment());
            }
        });
        assignments.keySet().retainAll(places);
        return new Wanted(names, places);
    }

    /// Virtual hosts that wait for their clusters or endpoints.
    public Set<String> warming() {
        settle();
        var names = new TreeSet<String>();
        hosts.forEach((name, state) -> {
            if (state.pending != null) {
                names.add(name);
            }
        });
        return names;
    }

    /// Puts a warming virtual host in force as it is: it waited long enough.
    public void force(String host) {
        HostState state = hosts.get(host);
        if (state != null) {
            state.promote();
        }
    }

    private void settle() {
        for (HostState state : hosts.values()) {
            if (state.pending != null && state.pending.clusters().stream().allMatch(this::isAnswered)) {
                state.promote();
            }
        }
    }

    private boolean isAnswered(String name) {
        ClusterState cluster = clusters.get(name);
        if (cluster == null) {
            return false;
        }
        return cluster.removed
                || cluster.spec == null
                || cluster.spec.assignment() == null
                || assignments.containsKey(cluster.spec.assignment());
    }

    /// A host's last good forms.
    private static final class HostState {
        Hosts.@Nullable Host inForce;
        Hosts.@Nullable Host pending;
        boolean absent;

        void promote() {
            if (pending != null) {
                inForce = pending;
                pending = null;
                absent = false;
            }
        }
    }

    /// A cluster's last good form, and what was built from it for the plan before.
    private static final class ClusterState {
        Clusters.@Nullable Spec spec;
        boolean removed;

        @Nullable
        ClusterPlan built;

        Clusters.@Nullable Assignment builtWith;

        ClusterPlan build(Clusters.Assignment given, Loads loads) {
            ClusterPlan reuse = built;
            if (reuse != null && given.equals(builtWith)) {
                return reuse;
            }
            if (spec == null) {
                throw new IllegalStateException("built only with a form");
            }
            ClusterPlan fresh = spec.with(given, loads);
            built = fresh;
            builtWith = given;
            return fresh;
        }
    }

    private static final class AssignmentState {
        Clusters.Assignment assignment = Clusters.Assignment.EMPTY;
        boolean removed;
    }
}
