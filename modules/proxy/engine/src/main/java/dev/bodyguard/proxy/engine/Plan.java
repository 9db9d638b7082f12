package dev.bodyguard.proxy.engine;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/// All that a proxy was told, compiled. Immutable; swapped whole.
public interface Plan {
    /// What to do with a request to a host.
    ///
    /// @param key `port/authority host`, the host in lower case and without port: `80/payment-service`
    Routing outbound(String key, RequestHead head);

    /// What happens to requests for hosts that the mesh does not know, or about which nothing was answered in time.
    Routing.Fallback fallback();

    /// A cluster, null where there is none of that name.
    @Nullable
    ClusterPlan cluster(String name);

    /// What is done with connections for an application's port, null where the port is not the mesh's.
    @Nullable
    InboundRule inbound(int port);

    /// The application's ports that have a rule.
    Set<Integer> inboundPorts();
}
