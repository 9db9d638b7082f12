package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.proxy.engine.Admission;
import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.HeaderChanges;
import dev.bodyguard.proxy.engine.InboundRule;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RetryPolicy;
import dev.bodyguard.proxy.engine.RouteRule;
import dev.bodyguard.proxy.engine.Routing;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.engine.Verdict;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.RequestHandler;
import dev.bodyguard.proxy.wire.RequestListener;
import dev.bodyguard.proxy.wire.Unread;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.proxy.wire.Version;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Party;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What calls the app, stage by stage: identify ▶ authorize ▶ rate ▶ route ▶ deadline ▶ wire. Nothing is repeated here:
/// the
/// caller's sidecar knows better whether it may be.
final class InboundPath implements RequestHandler {
    static final String CLIENT_CERTIFICATE = "x-forwarded-client-cert";
    /// RFC 9110 §9.1: what follows it on a line shall not be its to say.
    private static final Pattern METHOD = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

    private final InForce<Generation> inForce;
    private final SpiffeId id;
    private final Party self;
    private final String service;
    private final String serviceName;
    private final String serviceNamespace;
    private final Upstreams upstreams;
    private final Resolver resolver;
    private final Ledger ledger;
    private final Trail trail;
    private final AppSide app;
    private final AppSpeech speech;

    InboundPath(
            InForce<Generation> inForce,
            Settings settings,
            SpiffeId id,
            Party self,
            Upstreams upstreams,
            Resolver resolver,
            Ledger ledger,
            Trail trail,
            AppSide app,
            AppSpeech speech) {
        this.inForce = inForce;
        this.id = id;
        this.self = self;
        this.service = settings.service() + "." + settings.namespace() + ".svc.cluster.local";
        this.serviceName = settings.service();
        this.serviceNamespace = settings.namespace();
        this.upstreams = upstreams;
        this.resolver = resolver;
        this.ledger = ledger;
        this.app = app;
        this.trail = trail;
        this.speech = speech;
    }

    @Override
    public RequestListener begin(Exchange client) {
        var call = new Call(Edge.Reporter.DESTINATION, client, ledger);
        introduce(call.facts());
        trail.follow(call.request(), call.facts(), call.loop().random());
        if (call.enter()) {
            identify(call);
        }
        return call;
    }

    @Override
    public void unread(Unread what) {
        var facts = ledger.unread(Edge.Reporter.DESTINATION, what);
        introduce(facts);
        var peer = what.connection().peerId();
        if (peer != null) {
            facts.source = PeerFacts.party("", peer.toString());
        }
        ledger.recordUnread(facts);
    }

    private void introduce(Facts facts) {
        facts.service = service;
        facts.serviceName = serviceName;
        facts.serviceNamespace = serviceNamespace;
        facts.destination = self;
    }

    // -- identify: who asks, by certificate; and in which protocol the app was meant to be asked

    private void identify(Call call) {
        var fields = call.request().fields();
        var peer = call.client().connection().peerId();
        var toldProtocol = fields.get(OutboundPath.PROTOCOL);
        var toldFacts = fields.get(PeerFacts.HEADER);
        var toldNames = fields.get(OutboundPath.NAMES);
        var toldMethod = fields.get(OutboundPath.METHOD);
        PeerFacts.strip(fields);
        boolean http2 = false;
        if (peer != null) {
            // Only who proved an identity of the mesh is believed. One without a sidecar of ours tells nothing, and
            // to the mesh all is HTTP/2; what must be HTTP/2 to the app as well is gRPC.
            http2 = toldProtocol == null ? isGrpc(fields) : "HTTP/2".equals(toldProtocol);
            if (toldNames != null) {
                fields.spelt(toldNames);
            }
            if ("HTTP/1.1".equals(toldProtocol)) {
                call.askedInHttp1();
            }
            if (toldMethod != null && call.request().protocol() != null) {
                if (!METHOD.matcher(toldMethod).matches()) {
                    call.refuse(new Refusal.BadRequest("the method of a request for another protocol is none"));
                    return;
                }
                call.request().method(toldMethod);
            }
            call.facts().source = PeerFacts.party(toldFacts == null ? "" : toldFacts, peer.toString());
            var element = "By=" + id + ";URI=" + peer;
            var before = fields.get(CLIENT_CERTIFICATE);
            fields.set(CLIENT_CERTIFICATE, before == null ? element : before + "," + element);
        } else {
            // Without a certificate there is nobody to have forwarded one.
            fields.remove(CLIENT_CERTIFICATE);
            http2 = call.request().version() == Version.HTTP_2;
        }
        // Apps take other protocols by `upgrade`, which is HTTP/1.1's.
        authorize(call, peer, http2 && call.request().protocol() == null);
    }

    private static boolean isGrpc(Fields fields) {
        var type = fields.get("content-type");
        return type != null && type.startsWith("application/grpc");
    }

    // -- authorize

    private void authorize(Call call, @Nullable SpiffeId peer, boolean http2) {
        var now = inForce.get();
        int port = app.port(call.client().connection());
        var rule = now.plan().inbound(port);
        if (rule == null) {
            call.refuse(new Refusal.NoCluster("inbound|" + port + "||", null));
            return;
        }
        if (peer == null && !rule.letsIn(null)) {
            call.refuse(new Refusal.Unproven());
            return;
        }
        var request = call.request();
        // Decided upon and passed on in the same spelling, so that no other one gets around a policy.
        var path = rule.canonical(request.path());
        if (path == null) {
            call.refuse(new Refusal.OddPath(request.path()));
            return;
        }
        request.path(path);
        var who = peer == null ? null : peer.toString();
        switch (rule.authorize(who, request)) {
            case Verdict.Allowed _ -> rate(call, now, rule, who, http2);
            case Verdict.Denied(var by) -> call.refuse(denied(who, request, by, true));
            case Verdict.Unmatched(var among) -> call.refuse(denied(who, request, among, false));
        }
    }

    static Refusal denied(@Nullable String peer, Request request, String policy, boolean denies) {
        return new Refusal.Denied(named(peer), asked(request), policy, denies);
    }

    private static String named(@Nullable String peer) {
        return peer == null ? "a caller without a certificate" : peer;
    }

    /// Without the query, which may hold what is nobody's business.
    private static String asked(Request request) {
        var path = request.path();
        int query = path.indexOf('?');
        return request.method() + " " + (query < 0 ? path : path.substring(0, query));
    }

    // -- rate: only whoever may ask is counted

    private void rate(Call call, Generation now, InboundRule inbound, @Nullable String peer, boolean http2) {
        switch (inbound.admit(peer, call.request(), System.nanoTime())) {
            case Admission.Exceeded exceeded -> call.refuse(new Refusal.Limited(named(peer), exceeded));
            case Admission.Admitted(var tightest) ->
                route(call, now, inbound, tightest == null ? HeaderChanges.NONE : QuotaHeaders.of(tightest), http2);
        }
    }

    // -- route

    private void route(Call call, Generation now, InboundRule inbound, HeaderChanges quota, boolean http2) {
        switch (inbound.route(call.request())) {
            case Routing.Routed(var rule) ->
                Following.follow(call, rule, forward -> forward(call, now, rule, forward, quota, http2));
            case Routing.NoRoute(var host, var origin) ->
                call.refuse(new Refusal.NoRoute(
                        host, call.request().method(), call.request().path(), origin));
            case Routing.NoPort _, Routing.Unknown _, Routing.NotYetKnown _ ->
                call.refuse(new Refusal.NoRoute(
                        "this workload", call.request().method(), call.request().path(), null));
        }
    }

    // -- deadline ▶ wire

    private void forward(
            Call call, Generation now, RouteRule rule, RouteRule.Forward forward, HeaderChanges quota, boolean http2) {
        var share = forward.split().draw(call.loop().random());
        var cluster = now.plan().cluster(share.cluster());
        if (cluster == null) {
            call.refuse(new Refusal.NoCluster(share.cluster(), rule.origin()));
            return;
        }
        call.facts().cluster = cluster.name();
        Headers.change(call.request().fields(), rule.request());
        var terms = new Way.Terms(
                RetryPolicy.NONE,
                call.budget(forward.timeout()),
                rule.origin(),
                List.of(share.response(), rule.response(), quota));
        var asking = new Asking(call, cluster, now, terms);
        asking.ask(http2
                && (asking.needsHttp2()
                        || !speech.isHttp1Only(app.port(call.client().connection()))));
    }

    /// The application, as one request finds it. Owned by the call's loop.
    private final class Asking implements Forwarding.Side {
        private final Call call;
        private final ClusterPlan cluster;
        private final Generation now;
        private final Way.Terms terms;
        private int places;
        private boolean elsewhere;
        private boolean asHttp2;
        private boolean hungUp;
        private boolean again;

        Asking(Call call, ClusterPlan cluster, Generation now, Way.Terms terms) {
            this.call = call;
            this.cluster = cluster;
            this.now = now;
            this.terms = terms;
        }

        /// Whether HTTP/1.1 would not do.
        boolean needsHttp2() {
            return LocalReply.isGrpc(call.request());
        }

        void ask(boolean http2) {
            asHttp2 = http2;
            var way = way(places);
            if (way == null) {
                throw new IllegalStateException("an app has a place");
            }
            call.forward(new Forwarding(call, way, terms, upstreams, resolver, this));
        }

        private @Nullable Way way(int place) {
            return app.way(call.client().connection(), cluster, now, new Transport.Plaintext(asHttp2), place);
        }

        /// The app gets what the mesh knows only as standard headers.
        @Override
        public void stamp(Request head, Transport transport) {
            if (transport instanceof Transport.Plaintext(var http2) && !http2) {
                // RFC 9110 §10.1.4: it belongs to one connection, which is another one now.
                head.fields().remove("te");
            }
        }

        /// The mesh's own names are the sidecars'.
        @Override
        public void strip(Fields answer, Transport transport) {
            app.found(call.client().connection(), cluster, places);
            app.answered();
            PeerFacts.strip(answer);
            if (call.isAskedInHttp1()) {
                OutboundPath.tellSpelling(answer);
            }
        }

        @Override
        public Refusal unreachable(String address, String reason, @Nullable String origin) {
            if (way(places + 1) == null) {
                app.gone();
            } else {
                places++;
                elsewhere = true;
            }
            return new Refusal.AppNotListening(address);
        }

        @Override
        public void unanswered() {
            app.unanswered();
        }

        /// Some servers of HTTP/1.1 hang up on what they do not understand, but so does one that is being ended: the
        /// second look tells them apart.
        @Override
        public Refusal notHttp2(String address, String reason, boolean answered, @Nullable String origin) {
            if (answered) {
                speech.foundHttp1(app.port(call.client().connection()));
            } else if (!hungUp) {
                hungUp = true;
                again = true;
                return new Refusal.AppNotListening(address);
            }
            return new Refusal.NotHttp2(address, reason, origin);
        }

        /// A request that the app never saw may be said to it in HTTP/1.1, or go elsewhere, whatever its method: a
        /// caller's sidecar understands that by RFC 9113 §8.7, anybody else gets the sentence.
        @Override
        public void refuse(Call to, Refusal refusal) {
            boolean meshed =
                    to.client().connection().peerId() != null && to.request().version() == Version.HTTP_2;
            if (elsewhere) {
                elsewhere = false;
                to.facts().upstreamFailure = null;
                ask(asHttp2);
            } else if (again || (refusal instanceof Refusal.NotHttp2 && !needsHttp2())) {
                again = false;
                ask(needsHttp2());
            } else if (meshed && refusal instanceof Refusal.AppNotListening) {
                to.turnAway(refusal);
            } else {
                to.refuse(refusal);
            }
        }
    }
}
