package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.Tunnel;
import dev.bodyguard.proxy.wire.TunnelHandler;
import dev.bodyguard.proxy.wire.TunnelListener;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Party;

/// Bytes that are no HTTP, from a peer who proved its identity: on to the app's port, where the listener has a place
/// for
/// them.
final class InboundTunnels implements TunnelHandler {
    private final InForce<Generation> inForce;
    private final Settings settings;
    private final MeshTls tls;
    private final Resolver resolver;
    private final Ledger ledger;
    private final SidecarLog log;
    private final Party self;
    private final Runnable appGone;

    /// @param appGone told of each connection that found the app not listening, on an event loop
    InboundTunnels(
            InForce<Generation> inForce,
            Settings settings,
            MeshTls tls,
            Resolver resolver,
            Ledger ledger,
            SidecarLog log,
            Party self,
            Runnable appGone) {
        this.inForce = inForce;
        this.settings = settings;
        this.tls = tls;
        this.resolver = resolver;
        this.ledger = ledger;
        this.log = log;
        this.self = self;
        this.appGone = appGone;
    }

    @Override
    public TunnelListener open(Tunnel tunnel) {
        return new Admitted(tunnel);
    }

    /// Owned by the tunnel's loop.
    private final class Admitted implements TunnelListener {
        private final Tunnel tunnel;
        private final Facts facts;
        private boolean dialled;

        Admitted(Tunnel tunnel) {
            this.tunnel = tunnel;
            this.facts = ledger.tunnel(Edge.Reporter.DESTINATION, tunnel);
            var peer = tunnel.connection().peerId();
            facts.source = peer == null ? Party.UNKNOWN : PeerFacts.party("", peer.toString());
            facts.destination = self;
            facts.service = settings.service() + "." + settings.namespace() + ".svc.cluster.local";
            facts.serviceName = settings.service();
            facts.serviceNamespace = settings.namespace();
        }

        @Override
        public void onOpaque() {
            var now = inForce.get();
            var rule = now.plan().inbound(settings.appPort());
            var name = rule == null ? null : rule.opaque();
            var cluster = name == null ? null : now.plan().cluster(name);
            if (cluster == null) {
                refuse("port " + settings.appPort() + " lets in nothing but HTTP: its listener has no place for other"
                        + " bytes, or has rules that only requests can be judged by");
                return;
            }
            facts.cluster = cluster.name();
            facts.attempts = 1;
            var picking = new Picking(
                    new Way.Balanced(cluster, now, 0, new Transport.Plaintext(false)), false, resolver, tunnel.loop());
            var pick = picking.next();
            if (pick == null) {
                refuse("the application has no address");
                return;
            }
            facts.upstreamHost = pick.address();
            picking.find(pick, dial -> {
                switch (dial) {
                    case Picking.Dial.To(var target) -> tunnel.dial(target, tls);
                    case Picking.Dial.Impossible(var sentence) -> refuse(sentence);
                }
            });
        }

        private void refuse(String sentence) {
            log.bytesRefused(tunnel.connection().peer(), tunnel.connection().peerId(), sentence);
            tunnel.close();
        }

        @Override
        public void onDialled() {
            dialled = true;
            ledger.opened(facts);
        }

        @Override
        public void onDialFailed(Failure failure) {
            appGone.run();
            refuse("the application does not listen: " + failure.reason());
        }

        @Override
        public void onClosed(long sent, long received) {
            if (dialled) {
                facts.requestBytes = sent;
                facts.responseBytes = received;
                ledger.record(facts);
            }
        }
    }
}
