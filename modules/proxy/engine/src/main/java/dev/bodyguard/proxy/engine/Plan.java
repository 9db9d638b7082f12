package dev.bodyguard.proxy.engine;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// All that a proxy was told, compiled. Immutable; swapped whole. A request reads it once and finishes on it.
public final class Plan {
    /// What a proxy knows that has not been told anything: it lets nothing out, since it cannot tell a meshed
    /// destination, which must not be spoken to in plain text, from any other.
    public static final Plan EMPTY = new Plan(
            Map.of(),
            Set.of(),
            Map.of(),
            Map.of(),
            new Routing.Fallback.Block(503, "no configuration received yet; is the control plane reachable?"));

    /// In place of a port: every one that is not named.
    static final int ANY_OTHER = 0;

    private static final Routing.NotYetKnown NOT_YET_KNOWN = new Routing.NotYetKnown();

    private final Map<String, Hosts.Host> hosts;
    private final Set<String> absent;
    private final Map<String, ClusterPlan> clusters;
    private final Map<Integer, InboundRule> inbound;
    private final Set<Integer> inboundPorts;
    private final Routing.Unknown unknown;

    Plan(
            Map<String, Hosts.Host> hosts,
            Set<String> absent,
            Map<String, ClusterPlan> clusters,
            Map<Integer, InboundRule> inbound,
            Routing.Fallback fallback) {
        this.hosts = Map.copyOf(hosts);
        this.absent = Set.copyOf(absent);
        this.clusters = Map.copyOf(clusters);
        this.inbound = Map.copyOf(inbound);
        this.inboundPorts =
                inbound.keySet().stream().filter(port -> port != ANY_OTHER).collect(Collectors.toUnmodifiableSet());
        this.unknown = new Routing.Unknown(fallback);
    }

    /// What to do with a request to a host.
    ///
    /// @param key `port/authority host`, the host in lower case and without port: `80/payment-service`
    public Routing outbound(String key, RequestHead head) {
        Hosts.Host host = hosts.get(key);
        if (host != null) {
            return host.route(head);
        }
        return absent.contains(key) ? unknown : NOT_YET_KNOWN;
    }

    /// What to do with bytes that are no HTTP.
    ///
    /// @param key as of [#outbound]
    public OpaqueRouting opaque(String key) {
        Hosts.Host host = hosts.get(key);
        if (host != null) {
            return host.opaque();
        }
        return absent.contains(key) ? new OpaqueRouting.Unknown(fallback()) : new OpaqueRouting.NotYetKnown();
    }

    /// Whether a port was declared to carry no HTTP: the server may be the one to speak first.
    ///
    /// @param key as of [#outbound]
    public boolean onlyBytes(String key) {
        Hosts.Host host = hosts.get(key);
        return host != null && host.onlyBytes();
    }

    /// What happens to requests for hosts that the mesh does not know, or about which nothing was answered in time.
    public Routing.Fallback fallback() {
        return unknown.fallback();
    }

    /// A cluster, null where there is none of that name.
    public @Nullable ClusterPlan cluster(String name) {
        return clusters.get(name);
    }

    /// All clusters by name, for a dump.
    public Map<String, ClusterPlan> clusters() {
        return clusters;
    }

    /// Keys of all hosts that have rules, for a dump.
    public Set<String> hosts() {
        return hosts.keySet();
    }

    /// What is done with connections for an application's port, null where the port is not the mesh's.
    public @Nullable InboundRule inbound(int port) {
        var rule = inbound.get(port);
        var others = inbound.get(ANY_OTHER);
        return rule != null || others == null ? rule : others.at(port);
    }

    /// The certificates that inbound ports need.
    public Set<InboundRule.Certificate> certificates() {
        var certificates = new HashSet<InboundRule.Certificate>();
        for (var rule : inbound.values()) {
            var ending = rule.ending();
            if (ending != null) {
                certificates.add(ending.certificate());
            }
        }
        return certificates;
    }

    /// The application's ports that have a rule of their own.
    public Set<Integer> inboundPorts() {
        return inboundPorts;
    }
}
