package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.Opening;
import dev.bodyguard.proxy.wire.Tunnel;
import dev.bodyguard.proxy.wire.TunnelHandler;
import dev.bodyguard.proxy.wire.TunnelListener;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Party;
import org.jspecify.annotations.Nullable;

/// Bytes that are no HTTP, from a peer who proved its identity, or from anybody where the port takes anybody: on to the
/// app's port, where the listener has a place for them.
final class InboundTunnels implements TunnelHandler {
    private final InForce<Generation> inForce;
    private final Settings settings;
    private final MeshTls tls;
    private final Resolver resolver;
    private final Ledger ledger;
    private final SidecarLog log;
    private final Party self;
    private final AppSide app;
    /// By the app's ports.
    private final Heard http = new Heard();

    InboundTunnels(
            InForce<Generation> inForce,
            Settings settings,
            MeshTls tls,
            Resolver resolver,
            Ledger ledger,
            SidecarLog log,
            Party self,
            AppSide app) {
        this.inForce = inForce;
        this.settings = settings;
        this.tls = tls;
        this.resolver = resolver;
        this.ledger = ledger;
        this.log = log;
        this.self = self;
        this.app = app;
    }

    @Override
    public TunnelListener open(Tunnel tunnel) {
        var admitted = new Admitted(tunnel);
        switch (tunnel.opening()) {
            case BYTES -> admitted.dial();
            // The app may be the one to speak first.
            case ANYTHING -> {
                if (http.at(admitted.port)) {
                    admitted.dialAfterSilence();
                } else {
                    admitted.dial();
                }
            }
            case ANYTHING_OR_PEER -> admitted.dialAfterSilence();
            case TLS -> {}
        }
        return admitted;
    }

    /// Owned by the tunnel's loop.
    private final class Admitted implements TunnelListener {
        private final Tunnel tunnel;
        private final Facts facts;
        private final Integer port;
        private int place;
        private @Nullable ClusterPlan led;
        private boolean spoken;
        private boolean dialling;
        private boolean refusing;
        private boolean dialled;
        private boolean over;

        Admitted(Tunnel tunnel) {
            this.tunnel = tunnel;
            this.port = app.port(tunnel.connection());
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
            spoken = true;
            http.forget(port);
            dial();
            opened();
        }

        private @Nullable String who() {
            var peer = tunnel.connection().peerId();
            return peer == null ? null : peer.toString();
        }

        void dialAfterSilence() {
            var _ = tunnel.loop().after(OutboundTunnels.SILENCE, this::dial);
        }

        void dial() {
            if (over || dialling) {
                return;
            }
            dialling = true;
            var now = inForce.get();
            var rule = now.plan().inbound(port);
            var name = rule == null ? null : rule.opaque(who());
            var cluster = name == null ? null : now.plan().cluster(name);
            if (cluster == null) {
                refuse("port " + port + " lets in nothing but HTTP: its listener has no place for other"
                        + " bytes, or has rules that only requests can be judged by");
                return;
            }
            led = cluster;
            facts.cluster = cluster.name();
            facts.attempts = 1;
            var way = app.way(tunnel.connection(), cluster, now, new Transport.Plaintext(false), place);
            var picking = way == null ? null : new Picking(way, false, resolver, tunnel.loop());
            var pick = picking == null ? null : picking.next();
            if (picking == null || pick == null) {
                app.gone();
                refuse(place == 0 ? "the application has no address" : "the application does not listen");
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

        /// A client that may yet speak HTTP to a port that is good for nothing else is left in peace; and so is a peer
        /// for
        /// a moment, whose own client may.
        private void refuse(String sentence) {
            if (!spoken && !refusing) {
                dialling = false;
                place = 0;
                if (tunnel.opening() == Opening.BYTES) {
                    refusing = true;
                    dialAfterSilence();
                }
                return;
            }
            log.bytesRefused(tunnel.connection().peer(), tunnel.connection().peerId(), sentence);
            tunnel.close();
        }

        @Override
        public void onDialled() {
            dialled = true;
            if (led != null) {
                app.found(tunnel.connection(), led, place);
            }
            opened();
        }

        private void opened() {
            if (dialled && spoken) {
                ledger.opened(facts);
            }
        }

        @Override
        public void onDialFailed(Failure failure) {
            place++;
            dialling = false;
            dial();
        }

        @Override
        public void onHttp() {
            over = true;
            if (dialling) {
                http.note(port);
            }
        }

        @Override
        public void onTls() {
            over = true;
        }

        @Override
        public void onClosed(long sent, long received) {
            over = true;
            if (dialled && spoken) {
                facts.requestBytes = sent;
                facts.responseBytes = received;
                ledger.record(facts);
            }
        }
    }
}
