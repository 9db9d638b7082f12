package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Hashing;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RetryPolicy;
import dev.bodyguard.proxy.engine.RouteRule;
import dev.bodyguard.proxy.engine.Routing;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.RequestHandler;
import dev.bodyguard.proxy.wire.RequestListener;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.proxy.wire.Unread;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.proxy.wire.Version;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Party;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// What the app calls, stage by stage: identify ▶ route ▶ deadline ▶ retry ▶ balance ▶ wire. The last four are
/// [Forwarding]'s; authorization and rate limits are the callee's to decide.
final class OutboundPath implements RequestHandler, Forwarding.Side {
    static final String PROTOCOL = "x-bodyguard-proto";
    /// The names of fields that are not written in lowercase, as HTTP/2 has them all.
    static final String NAMES = "x-bodyguard-names";

    static final String METHOD = "x-bodyguard-method";
    private static final int HTTP = 80;
    private static final int HTTPS = 443;
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    private final InForce<Generation> inForce;
    private final Hosts hosts;
    private final Parking parking;
    private final Upstreams upstreams;
    private final Resolver resolver;
    private final Ledger ledger;
    private final Trail trail;
    private final Party self;
    private final String peerFacts;
    private final IntSupplier ownPort;

    OutboundPath(
            InForce<Generation> inForce,
            Hosts hosts,
            Parking parking,
            Upstreams upstreams,
            Resolver resolver,
            Ledger ledger,
            Trail trail,
            Party self,
            IntSupplier ownPort) {
        this.inForce = inForce;
        this.hosts = hosts;
        this.parking = parking;
        this.upstreams = upstreams;
        this.resolver = resolver;
        this.ledger = ledger;
        this.trail = trail;
        this.self = self;
        this.peerFacts = PeerFacts.text(self);
        this.ownPort = ownPort;
    }

    @Override
    public RequestListener begin(Exchange client) {
        var call = new Call(Edge.Reporter.SOURCE, client, ledger);
        call.facts().source = self;
        trail.follow(call.request(), call.facts(), call.loop().random());
        if (call.enter()) {
            identify(call);
        }
        return call;
    }

    @Override
    public void unread(Unread what) {
        var facts = ledger.unread(Edge.Reporter.SOURCE, what);
        facts.source = self;
        ledger.recordUnread(facts);
    }

    // -- identify: which host of the mesh, if it is one

    private void identify(Call call) {
        Request request = call.request();
        // Facts about a workload are a sidecar's to tell, never the app's.
        PeerFacts.strip(request.fields());
        request.fields().remove(InboundPath.CLIENT_CERTIFICATE);
        var captured = call.client().connection().originalDestination();
        var dialled = captured == null ? null : Authority.parse(captured, HTTP);
        var authority = request.authority().isEmpty()
                ? dialled
                : Authority.parse(request.authority(), request.scheme().equals("https") ? HTTPS : HTTP);
        if (authority == null) {
            call.refuse(new Refusal.BadRequest(
                    "the request names no host that could be read: '" + request.authority() + "'"));
            return;
        }
        var destination = dialled == null ? authority : authority.withPort(dialled.port());
        var key = destination.key();
        hosts.use(key);
        route(call, destination, key);
    }

    // -- route: by the plan in force, to which this request keeps

    private void route(Call call, Authority to, String key) {
        var now = inForce.get();
        switch (now.plan().outbound(key, call.request())) {
            case Routing.Routed(var rule) -> Following.follow(call, rule, forward -> forward(call, now, rule, forward));
            case Routing.NoRoute(var host, var origin) ->
                call.refuse(new Refusal.NoRoute(
                        host, call.request().method(), call.request().path(), origin));
            case Routing.NoPort(var host, var ports, var origin) ->
                call.refuse(new Refusal.NoPort(host, ports, origin));
            case Routing.Unknown(var fallback) -> unknown(call, to, fallback);
            case Routing.NotYetKnown() -> {
                if (!call.park(parking, new FirstWord(call, to, key))) {
                    unanswered(call, now, to);
                }
            }
        }
    }

    /// Whom the mesh does not know by name it may know by the address that the app connected to.
    private void unknown(Call call, Authority to, Routing.Fallback fallback) {
        var meant = call.client().connection().captured();
        var address = meant == null ? to : Authority.of(meant);
        if (address.equals(to)) {
            fallBack(call, to, fallback);
        } else {
            hosts.use(address.key());
            route(call, address, address.key());
        }
    }

    /// The control plane's first word about a host, or the end of the wait for it.
    private final class FirstWord implements Parking.Exit {
        private final Call call;
        private final Authority to;
        private final String key;

        FirstWord(Call call, Authority to, String key) {
            this.call = call;
            this.to = to;
            this.key = key;
        }

        @Override
        public boolean isOpen() {
            return !(inForce.get().plan().outbound(key, call.request()) instanceof Routing.NotYetKnown);
        }

        @Override
        public void leave() {
            if (isOpen()) {
                route(call, to, key);
                return;
            }
            unanswered(call, inForce.get(), to);
        }
    }

    /// Nothing came into force in time.
    private void unanswered(Call call, Generation now, Authority to) {
        var refusal = now.unanswered(to);
        if (refusal != null) {
            call.refuse(refusal);
        } else {
            fallBack(call, to, now.plan().fallback());
        }
    }

    /// A host that is not of the mesh, as far as anybody can tell.
    private void fallBack(Call call, Authority to, Routing.Fallback fallback) {
        switch (fallback) {
            case Routing.Fallback.Block(int status, var sentence) ->
                call.refuse(new Refusal.Blocked(status, sentence, null));
            case Routing.Fallback.PassThrough(var cluster) ->
                passThrough(
                        call,
                        to,
                        cluster,
                        new Way.Terms(RetryPolicy.NONE, call.budget(Duration.ZERO), null, List.of()));
        }
    }

    private void passThrough(Call call, Authority to, String cluster, Way.Terms terms) {
        call.facts().cluster = cluster;
        call.facts().routeName = "allow_any";
        call.facts().service = to.host();
        var meant = call.client().connection().captured();
        if (meant != null) {
            // Whoever spoke HTTP/2 to it without asking knows that it does.
            passThrough(
                    call,
                    to,
                    meant,
                    call.request().version() == Version.HTTP_2 && call.request().protocol() == null,
                    terms);
            return;
        }
        resolver.resolve(
                to.host(),
                answer -> call.loop().execute(() -> {
                    if (call.isOver()) {
                        return;
                    }
                    switch (answer) {
                        case Resolver.Answer.Missing(var sentence) ->
                            call.refuse(new Refusal.ConnectFailed(to.toString(), sentence, terms.origin()));
                        case Resolver.Answer.Found(var address) ->
                            passThrough(call, to, new InetSocketAddress(address, to.port()), false, terms);
                    }
                }));
    }

    private void passThrough(Call call, Authority to, InetSocketAddress address, boolean http2, Way.Terms terms) {
        if (address.getPort() == ownPort.getAsInt() && address.getAddress().isLoopbackAddress()) {
            call.refuse(new Refusal.Loop(to.toString()));
            return;
        }
        var target = new Target(address, new Transport.Plaintext(http2), CONNECT_TIMEOUT);
        call.forward(new Forwarding(call, new Way.Straight(target, to.toString()), terms, upstreams, resolver, this));
    }

    // -- deadline ▶ retry ▶ balance ▶ wire

    private void forward(Call call, Generation now, RouteRule rule, RouteRule.Forward forward) {
        var share = forward.split().draw(call.loop().random());
        var cluster = now.plan().cluster(share.cluster());
        if (cluster == null) {
            call.facts().cluster = share.cluster();
            call.refuse(new Refusal.NoCluster(share.cluster(), rule.origin()));
            return;
        }
        call.facts().destination(cluster);
        if (cluster.budget().active() >= cluster.limits().requests()) {
            call.refuse(new Refusal.Overflow(
                    cluster.name(), cluster.limits().requests() + " requests under way", cluster.origin()));
            return;
        }
        Request request = call.request();
        // By chance where the route has no key, or not yet the one that its cluster hashes by.
        long hash = call.loop().random().nextLong();
        var answer = List.of(share.response(), rule.response());
        if (!forward.hash().isEmpty()) {
            long fresh = hash;
            hash = Hashing.of(request, call.client().connection().peer(), forward.hash(), fresh);
            var cookies = Hashing.cookies(request, forward.hash(), fresh);
            if (!cookies.isEmpty()) {
                answer = List.of(share.response(), rule.response(), cookies);
            }
        }
        Headers.change(request.fields(), rule.request());
        Headers.change(request.fields(), share.request());
        var rewrite = forward.rewrite();
        request.path(rewrite.path(request.path()));
        if (rewrite.host() != null) {
            request.authority(rewrite.host());
        }
        var terms = new Way.Terms(forward.retries(), call.budget(forward.timeout()), rule.origin(), answer);
        if (cluster.discovery() == ClusterPlan.Discovery.ORIGINAL_DESTINATION) {
            var to = Authority.parse(request.authority(), HTTP);
            if (to == null) {
                call.refuse(new Refusal.BadRequest("the rule rewrites the host to what cannot be read as one"));
            } else {
                passThrough(call, to, cluster.name(), terms);
            }
            return;
        }
        call.forward(
                new Forwarding(call, new Way.Balanced(cluster, now, hash, null), terms, upstreams, resolver, this));
    }

    @Override
    public void stamp(Request head, Transport transport) {
        switch (transport) {
            case Transport.Mtls _ -> {
                head.fields()
                        .set(PROTOCOL, head.version() == Version.HTTP_2 ? "HTTP/2" : "HTTP/1.1")
                        .set(PeerFacts.HEADER, peerFacts);
                tellSpelling(head.fields());
                if (head.protocol() != null) {
                    // On the way it is CONNECT (RFC 8441).
                    head.fields().set(METHOD, head.method());
                }
            }
            case Transport.Plaintext _ -> {}
        }
    }

    /// A peer's sidecar has taken off what its app said under the mesh's names, and may speak for itself; nobody else
    /// may.
    @Override
    public void strip(Fields answer, Transport transport) {
        switch (transport) {
            case Transport.Mtls _ -> hearSpelling(answer);
            case Transport.Plaintext _ -> PeerFacts.strip(answer);
        }
    }

    /// For the next sidecar, which may go on in HTTP/1.
    static void tellSpelling(Fields fields) {
        var names = fields.spelling();
        if (!names.isEmpty()) {
            fields.set(NAMES, names);
        }
    }

    private static void hearSpelling(Fields fields) {
        var names = fields.get(NAMES);
        if (names != null) {
            fields.remove(NAMES).spelt(names);
        }
    }

    /// Which of several it was, and whether that is its fault, this side cannot tell.
    @Override
    public void unanswered() {}

    @Override
    public void refuse(Call call, Refusal refusal) {
        call.refuse(refusal);
    }

    @Override
    public Refusal unreachable(String address, String reason, @Nullable String origin) {
        return new Refusal.ConnectFailed(address, reason, origin);
    }

    @Override
    public Refusal notHttp2(String address, String reason, boolean answered, @Nullable String origin) {
        return answered ? new Refusal.NotHttp2(address, reason, origin) : unreachable(address, reason, origin);
    }
}
