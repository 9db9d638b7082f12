package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Hashing;
import dev.bodyguard.proxy.engine.OpaqueRouting;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.Routing;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.proxy.wire.Tunnel;
import dev.bodyguard.proxy.wire.TunnelHandler;
import dev.bodyguard.proxy.wire.TunnelListener;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Party;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// What the app says inside CONNECT when it is not HTTP, TLS of its own above all: to the endpoints of a host that the
/// mesh knows, over mutual TLS where they are meshed; otherwise to where the app addressed it, as far as the outbound
/// policy lets it out.
final class OutboundTunnels implements TunnelHandler {
    private static final int HTTPS = 443;
    private static final int SERVICE_UNAVAILABLE = 503;
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final int MOST_ENDPOINTS = 4;
    /// Here the server speaks first: FTP, SSH, Telnet, mail, MySQL.
    private static final Set<Integer> SERVER_FIRST = Set.of(21, 22, 23, 25, 110, 143, 587, 3306);

    /// A client that has said nothing for so long may be waiting for the server's first word, even where HTTP was
    /// heard.
    static final Duration SILENCE = Duration.ofMillis(100);

    private final InForce<Generation> inForce;
    private final Hosts hosts;
    private final Parking parking;
    private final MeshTls tls;
    private final Resolver resolver;
    private final Ledger ledger;
    private final SidecarLog log;
    private final Party self;
    private final IntSupplier ownPort;
    /// By the keys of hosts.
    private final Heard http = new Heard();

    OutboundTunnels(
            InForce<Generation> inForce,
            Hosts hosts,
            Parking parking,
            MeshTls tls,
            Resolver resolver,
            Ledger ledger,
            SidecarLog log,
            Party self,
            IntSupplier ownPort) {
        this.inForce = inForce;
        this.hosts = hosts;
        this.parking = parking;
        this.tls = tls;
        this.resolver = resolver;
        this.ledger = ledger;
        this.log = log;
        this.self = self;
        this.ownPort = ownPort;
    }

    @Override
    public TunnelListener open(Tunnel tunnel) {
        var to = Authority.parse(tunnel.destination(), HTTPS);
        if (to == null) {
            refuse(
                    tunnel,
                    ledger.tunnel(Edge.Reporter.SOURCE, tunnel),
                    new Refusal.BadRequest("the destination cannot be read as host:port"));
            return new TunnelListener() {};
        }
        var opaque = new Opaque(tunnel, to);
        if (opaque.atOurDoor) {
            return opaque;
        }
        hosts.use(opaque.key);
        // Whoever speaks first decides, so the server is dialled at once, but where that was in vain before; one that
        // takes nothing but HTTP is not dialled at all.
        if (http.at(opaque.key)) {
            var _ = tunnel.loop().after(SILENCE, opaque::dial);
        } else {
            opaque.dial();
        }
        return opaque;
    }

    private void refuse(Tunnel tunnel, Facts facts, Refusal refusal) {
        facts.refused(refusal);
        if (log.tunnelRefused()) {
            ledger.tell(facts);
        }
        tunnel.close();
    }

    private static boolean isLoopback(String host) {
        var address = NetUtil.createInetAddressFromIpAddressString(host);
        return address != null && address.isLoopbackAddress();
    }

    /// Owned by the tunnel's loop.
    private final class Opaque implements TunnelListener, Parking.Exit {
        private final Tunnel tunnel;
        /// An app that calls 127.0.0.1:443 means the proxy, and whoever its TLS is for.
        private final boolean atOurDoor;

        private Authority to;
        private String key;
        private final boolean serverFirst;
        private final Facts facts;
        private final Set<Endpoint> tried = new HashSet<>(2);
        private @Nullable Picking picking;
        private @Nullable Endpoint endpoint;
        private Parking.@Nullable Place place;
        /// Somebody has spoken, so that this is known to be no HTTP.
        private boolean spoken;
        private boolean dialling;
        private boolean dialled;
        private boolean over;

        Opaque(Tunnel tunnel, Authority to) {
            this.tunnel = tunnel;
            this.to = to;
            this.key = to.key();
            this.atOurDoor = to.port() == HTTPS && isLoopback(to.host());
            this.serverFirst = SERVER_FIRST.contains(to.port());
            this.facts = ledger.tunnel(Edge.Reporter.SOURCE, tunnel);
            facts.source = self;
        }

        @Override
        public void onOpaque() {
            spoken = true;
            http.forget(key);
            if (atOurDoor) {
                to = to.named(tunnel.serverName());
                key = to.key();
                hosts.use(key);
            }
            dial();
            opened();
        }

        // -- route

        void dial() {
            if (over || dialling) {
                return;
            }
            dialling = true;
            var now = inForce.get();
            switch (now.plan().opaque(key)) {
                case OpaqueRouting.To(var cluster, var bySource, var origin) -> {
                    facts.rule = origin;
                    balance(now, cluster, bySource);
                }
                case OpaqueRouting.Nowhere(var sentence, var origin) ->
                    impossible(new Refusal.Nowhere(SERVICE_UNAVAILABLE, sentence, origin));
                case OpaqueRouting.Unknown(var fallback) -> fallBack(fallback);
                case OpaqueRouting.NotYetKnown() -> {
                    place = parking.park(tunnel.loop(), this);
                    if (place == null) {
                        unanswered(now);
                    }
                }
            }
        }

        /// A client that may yet speak HTTP to a host that is good for nothing else is left in peace.
        private void impossible(Refusal refusal) {
            dialling = false;
            if (spoken || serverFirst) {
                refuse(tunnel, facts, refusal);
            }
        }

        private void unanswered(Generation now) {
            var refusal = now.unanswered(to);
            if (refusal != null) {
                impossible(refusal);
            } else {
                fallBack(now.plan().fallback());
            }
        }

        @Override
        public boolean isOpen() {
            return !(inForce.get().plan().opaque(key) instanceof OpaqueRouting.NotYetKnown);
        }

        @Override
        public void leave() {
            if (isOpen()) {
                dialling = false;
                dial();
            } else {
                unanswered(inForce.get());
            }
        }

        // -- to strangers

        private void fallBack(Routing.Fallback fallback) {
            switch (fallback) {
                case Routing.Fallback.Block(int status, var sentence) ->
                    impossible(new Refusal.Blocked(status, sentence, null));
                case Routing.Fallback.PassThrough(var cluster) -> {
                    facts.cluster = cluster;
                    facts.service = to.host();
                    passThrough();
                }
            }
        }

        private void passThrough() {
            resolver.resolve(
                    to.host(),
                    answer -> tunnel.loop().execute(() -> {
                        if (over) {
                            return;
                        }
                        switch (answer) {
                            case Resolver.Answer.Missing(var sentence) ->
                                impossible(new Refusal.ConnectFailed(to.toString(), sentence, facts.rule));
                            case Resolver.Answer.Found(var address) -> passThrough(address);
                        }
                    }));
        }

        private void passThrough(InetAddress address) {
            if (address.isLoopbackAddress() && to.port() == ownPort.getAsInt()) {
                impossible(new Refusal.Loop(to.toString()));
                return;
            }
            attempt(to.toString());
            tunnel.dial(
                    new Target(
                            new InetSocketAddress(address, to.port()), new Transport.Plaintext(false), CONNECT_TIMEOUT),
                    tls);
        }

        // -- to endpoints

        private void balance(Generation now, String name, boolean bySource) {
            var cluster = now.plan().cluster(name);
            if (cluster == null) {
                impossible(new Refusal.NoCluster(name, facts.rule));
                return;
            }
            facts.destination(cluster);
            if (cluster.discovery() == ClusterPlan.Discovery.ORIGINAL_DESTINATION) {
                passThrough();
                return;
            }
            tried.clear();
            long hash = bySource
                    ? Hashing.of(tunnel.connection().peer())
                    : tunnel.loop().random().nextLong();
            picking = new Picking(new Way.Balanced(cluster, now, hash, null), true, resolver, tunnel.loop());
            next(picking, new Refusal.NoHealthyEndpoint(cluster, facts.rule));
        }

        private void next(Picking among, Refusal otherwise) {
            var pick = among.next();
            var chosen = pick == null ? null : pick.endpoint();
            if (pick == null || chosen == null || tried.size() >= MOST_ENDPOINTS || !tried.add(chosen)) {
                impossible(otherwise);
                return;
            }
            chosen.requestStarted();
            endpoint = chosen;
            attempt(pick.address());
            facts.destination = among.party(chosen);
            among.find(pick, dial -> {
                if (over) {
                    return;
                }
                switch (dial) {
                    case Picking.Dial.To(var target) -> tunnel.dial(target, tls);
                    case Picking.Dial.Impossible(var sentence) -> onDialFailed(new Failure.ConnectFailed(sentence));
                }
            });
        }

        private void attempt(String address) {
            facts.attempts++;
            facts.upstreamHost = address;
        }

        @Override
        public void onDialFailed(Failure failure) {
            if (endpoint != null && Failures.isTheEndpoints(failure)) {
                endpoint.heard(Failures.outcome(failure, false));
            }
            leaveEndpoint();
            if (over) {
                return;
            }
            facts.upstreamFailure = failure.reason();
            var address = facts.upstreamHost == null ? to.toString() : facts.upstreamHost;
            var refusal = new Refusal.ConnectFailed(address, failure.reason(), facts.rule);
            if (picking == null) {
                impossible(refusal);
            } else {
                next(picking, refusal);
            }
        }

        private void leaveEndpoint() {
            if (endpoint != null) {
                endpoint.requestEnded();
                endpoint = null;
            }
        }

        // -- the tunnel's life

        @Override
        public void onDialled() {
            dialled = true;
            opened();
        }

        private void opened() {
            if (dialled && spoken) {
                if (endpoint != null) {
                    endpoint.carries();
                }
                ledger.opened(facts);
            }
        }

        @Override
        public void onHttp() {
            if (dialling) {
                http.note(key);
            }
            end();
        }

        @Override
        public void onClosed(long sent, long received) {
            end();
            if (dialled && spoken) {
                facts.requestBytes = sent;
                facts.responseBytes = received;
                ledger.record(facts);
            }
        }

        private void end() {
            over = true;
            leaveEndpoint();
            if (place != null) {
                place.giveUp();
                place = null;
            }
        }
    }
}
