package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.wire.Connection;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Unread;
import dev.bodyguard.proxy.wire.Version;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Party;
import dev.bodyguard.telemetry.record.TraceParent;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// What is being found out about one exchange, until it is over. Owned by the exchange's loop.
final class Facts {
    /// Characters that are told of each of a client's own texts: thousands of lines may wait to be written.
    private static final int LONGEST = 1_024;

    private final Edge.Reporter reporter;
    private final Connection connection;
    private final long startedAt;
    private final long startedNanos;
    private final String method;
    private final String path;
    private final String authority;
    private final @Nullable String protocol;
    private final Edge.Protocol spoken;
    private final @Nullable String userAgent;
    private final @Nullable String forwardedFor;

    Party source = Party.UNKNOWN;
    Party destination = Party.UNKNOWN;
    String service = "";
    String serviceName = "";
    String serviceNamespace = "";

    @Nullable
    String requestId;

    @Nullable
    TraceParent trace;

    long parentSpan;

    String routeName = "";

    @Nullable
    String rule;

    @Nullable
    String sentence;

    @Nullable
    String details;

    @Nullable
    String termination;

    @Nullable
    String cluster;

    @Nullable
    String upstreamHost;

    @Nullable
    String upstreamFailure;

    int attempts;
    int status;
    int grpcStatus = -1;
    long requestBytes;
    long responseBytes;
    private long serviceNanos = -1;
    private String flags = "-";

    Facts(Edge.Reporter reporter, Connection connection, Request request, long startedAt, long startedNanos) {
        this.reporter = reporter;
        this.connection = connection;
        this.startedAt = startedAt;
        this.startedNanos = startedNanos;
        this.method = brief(request.method());
        this.path = brief(request.path());
        this.authority = brief(request.authority());
        this.protocol = request.version().text();
        this.spoken = LocalReply.isGrpc(request) ? Edge.Protocol.GRPC : Edge.Protocol.HTTP;
        this.userAgent = briefly(request.fields().get("user-agent"));
        this.forwardedFor = briefly(request.fields().get("x-forwarded-for"));
    }

    /// Of what was to be a request.
    Facts(Edge.Reporter reporter, Unread what, long startedAt, long startedNanos) {
        this.reporter = reporter;
        this.connection = what.connection();
        this.startedAt = startedAt;
        this.startedNanos = startedNanos;
        this.method = brief(what.method());
        this.path = brief(what.target());
        this.authority = "";
        this.protocol = what.version() == null ? null : what.version().text();
        this.spoken = Edge.Protocol.HTTP;
        this.userAgent = null;
        this.forwardedFor = null;
        refused(new Refusal.Unreadable(what.status(), what.version() == Version.HTTP_2, what.sentence()));
        this.status = what.status();
    }

    /// Of bytes that are no HTTP.
    Facts(Edge.Reporter reporter, Connection connection, long startedAt, long startedNanos) {
        this.reporter = reporter;
        this.connection = connection;
        this.startedAt = startedAt;
        this.startedNanos = startedNanos;
        this.method = "";
        this.path = "";
        var destination = connection.originalDestination();
        this.authority = destination == null ? "" : destination;
        this.protocol = "TCP";
        this.spoken = Edge.Protocol.TCP;
        this.userAgent = null;
        this.forwardedFor = null;
    }

    private static @Nullable String briefly(@Nullable String text) {
        return text == null ? null : brief(text);
    }

    private static String brief(String text) {
        return text.length() > LONGEST ? text.substring(0, LONGEST) + "…" : text;
    }

    void flag(String flag) {
        if (!flag.equals("-")) {
            flags = flags.equals("-") ? flag : flags + "," + flag;
        }
    }

    void refused(Refusal refusal) {
        flag(refusal.flag());
        details = refusal.details();
        sentence = brief(refusal.sentence());
        if (refusal.origin() != null) {
            rule = refusal.origin();
        }
    }

    void destination(ClusterPlan to) {
        cluster = to.name();
        service = to.service().host();
        serviceName = to.service().name();
        serviceNamespace = to.service().namespace();
    }

    void responded(long now) {
        serviceNanos = now - startedNanos;
    }

    /// By `System.nanoTime`.
    long startedNanos() {
        return startedNanos;
    }

    /// In milliseconds since the epoch.
    long startedAt() {
        return startedAt;
    }

    /// Who talks to whom.
    Edge edge() {
        return new Edge(reporter, source, destination, service, serviceName, serviceNamespace, spoken, security());
    }

    private Edge.Security security() {
        // The caller's side knows how it was called by its app, which says nothing of the way to the peer.
        if (reporter == Edge.Reporter.SOURCE) {
            return Edge.Security.UNKNOWN;
        }
        return connection.peerId() == null ? Edge.Security.NONE : Edge.Security.MUTUAL_TLS;
    }

    Exchange over(long now) {
        var peer = connection.peerId();
        var captured = connection.captured();
        return new Exchange(
                edge(),
                startedAt,
                now - startedNanos,
                new Exchange.Request(
                        method, path, protocol, authority, userAgent, requestId, forwardedFor, requestBytes),
                new Exchange.Response(status, grpcStatus, flags, details, termination, responseBytes),
                new Exchange.Upstream(cluster, upstreamHost, null, attempts, serviceNanos, upstreamFailure),
                new Exchange.Downstream(
                        text(captured == null ? connection.local() : captured),
                        text(connection.peer()),
                        null,
                        peer == null ? null : peer.toString(),
                        security()),
                new Exchange.Decision(routeName, rule, sentence),
                trace,
                parentSpan);
    }

    private static String text(SocketAddress address) {
        return address instanceof InetSocketAddress inet ? NetUtil.toSocketAddressString(inet) : address.toString();
    }
}
