package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.client.MeshChannel;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import io.grpc.ManagedChannel;
import java.time.InstantSource;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Channels to the control plane's services, wherever they listen at that time: it may come back on other ports.
final class ControlPlane {
    /// Nothing listens there, so that whoever calls is told "refused" and tries again.
    private static final String NOWHERE = "127.0.0.1:1";

    private final Whereabouts where;
    private final String trustDomain;
    private final Supplier<TrustBundle> roots;
    private final Supplier<@Nullable Svid> own;
    private final SidecarLog log;
    private final InstantSource clock;

    ControlPlane(
            Whereabouts where,
            String trustDomain,
            Supplier<TrustBundle> roots,
            Supplier<@Nullable Svid> own,
            SidecarLog log,
            InstantSource clock) {
        this.where = where;
        this.trustDomain = trustDomain;
        this.roots = roots;
        this.own = own;
        this.log = log;
        this.clock = clock;
    }

    ManagedChannel identity() {
        return channel("identity", where.identity());
    }

    ManagedChannel config() {
        return channel("config", where.config());
    }

    ManagedChannel discovery() {
        return channel("discovery", where.discovery());
    }

    /// `host:port` where telemetry is taken now; empty where it is not.
    String telemetry() {
        return where.telemetry();
    }

    // Type annotations inside a record's component do not survive in its class file.
    @SuppressWarnings("NullAway")
    private ManagedChannel channel(String account, String address) {
        var id = SpiffeId.ofServiceAccount(trustDomain, "bodyguard-system", account);
        return new MeshChannel(id, roots, own, log::serverRefused, clock)
                .to(address.isEmpty() ? NOWHERE : address)
                .build();
    }
}
