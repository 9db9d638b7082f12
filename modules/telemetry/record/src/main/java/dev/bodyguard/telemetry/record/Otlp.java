package dev.bodyguard.telemetry.record;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Writes meters and spans as OpenTelemetry's protocol has them (OTLP 1, protobuf): the body of a `POST /v1/metrics` or
/// `/v1/traces`. Counters are cumulative since the process began, so that a body that was lost costs no count.
///
/// One thread at a time.
public final class Otlp {
    /// The `content-type` of what is written here.
    public static final String CONTENT_TYPE = "application/x-protobuf";

    /// A body is ended here and another one begun; receivers take a few MiB.
    private static final int ENOUGH = 512 << 10;

    /// What peers made up, such as a path, has an end.
    private static final int LONGEST = 512;

    private static final int CUMULATIVE = 2;
    private static final int SPAN_KIND_SERVER = 2;
    private static final int SPAN_KIND_CLIENT = 3;
    private static final int STATUS_ERROR = 2;

    private final Party self;
    private final long startedAt;

    /// @param self whose meters these are
    /// @param startedAt when they began to count, in milliseconds since the epoch
    public Otlp(Party self, long startedAt) {
        this.self = self;
        this.startedAt = startedAt;
    }

    /// Writes what the meters of edges say now, in as many bodies as it takes; at least one, which tells that we live.
    ///
    /// @param everything also what has not changed since it was last written here
    /// @param now milliseconds since the epoch
    public void metrics(Meters meters, boolean everything, long now, Consumer<byte[]> to) {
        var edges = meters.edges();
        edges.forEach(edge -> edge.look(everything));
        var batch = new Batch(now, to);
        for (var kind : Kind.values()) {
            for (var edge : edges) {
                edge.write(kind, batch);
            }
            batch.endMetric();
        }
        batch.end();
    }

    /// What is told of an edge.
    enum Kind {
        REQUESTS("istio_requests_total", "1"),
        DURATION("istio_request_duration_milliseconds", "ms"),
        RETRIES("bodyguard_edge_retries_total", "1");

        private final String metric;
        private final String unit;

        Kind(String metric, String unit) {
            this.metric = metric;
            this.unit = unit;
        }
    }

    /// Data points, in the message of the metric they belong to.
    final class Batch {
        private final long now;
        private final Consumer<byte[]> to;
        private ProtobufWriter writer = new ProtobufWriter(8 << 10);
        private int resourceMetrics = -1;
        private int scopeMetrics;
        private int metric = -1;
        private int data;
        private boolean told;

        Batch(long now, Consumer<byte[]> to) {
            this.now = now;
            this.to = to;
        }

        /// A message per metric is begun by its first point.
        private ProtobufWriter point(Kind of) {
            if (writer.size() > ENOUGH) {
                endMetric();
                end();
            }
            if (resourceMetrics < 0) {
                beginBody();
            }
            if (metric < 0) {
                metric = writer.open(2);
                writer.text(1, of.metric);
                writer.text(3, of.unit);
                data = writer.open(of == Kind.DURATION ? 9 : 7);
                writer.number(2, CUMULATIVE);
                if (of != Kind.DURATION) {
                    writer.flag(3, true);
                }
            }
            return writer;
        }

        private void beginBody() {
            resourceMetrics = writer.open(1);
            resource(writer);
            scopeMetrics = writer.open(2);
            scope(writer);
        }

        void number(Kind of, long value, Consumer<Attributes> attributes) {
            var to = point(of);
            int point = to.open(1);
            to.fixed64(2, nanos(startedAt));
            to.fixed64(3, nanos(now));
            to.fixed64(6, value);
            attributes.accept(new Attributes(to, 7));
            to.close(point);
        }

        void histogram(Kind of, long[] counts, double sum, double[] bounds, Consumer<Attributes> attributes) {
            long count = 0;
            for (long one : counts) {
                count += one;
            }
            var to = point(of);
            int point = to.open(1);
            to.fixed64(2, nanos(startedAt));
            to.fixed64(3, nanos(now));
            to.fixed64(4, count);
            to.real(5, sum);
            to.packed(6, counts);
            to.packed(7, bounds);
            attributes.accept(new Attributes(to, 9));
            to.close(point);
        }

        void endMetric() {
            if (metric >= 0) {
                writer.close(data);
                writer.close(metric);
                metric = -1;
            }
        }

        void end() {
            if (resourceMetrics < 0) {
                if (told) {
                    return;
                }
                beginBody();
            }
            writer.close(scopeMetrics);
            writer.close(resourceMetrics);
            resourceMetrics = -1;
            told = true;
            to.accept(writer.toBytes());
            writer = new ProtobufWriter(8 << 10);
        }
    }

    /// Writes each exchange that has a trace as its span.
    public byte[] spans(List<Exchange> exchanges) {
        var to = new ProtobufWriter(512 * exchanges.size() + 512);
        int resourceSpans = to.open(1);
        resource(to);
        int scopeSpans = to.open(2);
        scope(to);
        for (var exchange : exchanges) {
            var trace = exchange.trace();
            if (trace != null) {
                write(exchange, trace, to);
            }
        }
        to.close(scopeSpans);
        to.close(resourceSpans);
        return to.toBytes();
    }

    private static void write(Exchange exchange, TraceParent trace, ProtobufWriter to) {
        var request = exchange.request();
        var response = exchange.response();
        boolean server = exchange.edge().reporter() == Edge.Reporter.DESTINATION;
        int span = to.open(2);
        to.id(1, trace.high(), trace.low());
        to.id(2, trace.span());
        if (exchange.parentSpan() != 0) {
            to.id(4, exchange.parentSpan());
        }
        var name = name(exchange);
        to.text(5, name.length() > LONGEST ? name.substring(0, LONGEST) : name);
        to.number(6, server ? SPAN_KIND_SERVER : SPAN_KIND_CLIENT);
        to.fixed64(7, nanos(exchange.startedAt()));
        to.fixed64(8, nanos(exchange.startedAt()) + exchange.durationNanos());
        var attributes = new Attributes(to, 9);
        attributes.put("http.request.method", request.method());
        attributes.put("server.address", request.authority());
        attributes.put("url.path", withoutQuery(request.path()));
        var protocol = request.protocol();
        if (protocol != null) {
            attributes.put("network.protocol.version", protocol.substring(protocol.indexOf('/') + 1));
        }
        attributes.putUnless("user_agent.original", request.userAgent());
        attributes.putUnless("http.request.header.x-request-id", request.requestId());
        attributes.put("http.response.status_code", response.code());
        if (response.grpcStatus() >= 0) {
            attributes.put("rpc.grpc.status_code", response.grpcStatus());
        }
        attributes.put("http.request.body.size", request.bytes());
        attributes.put("http.response.body.size", response.bytes());
        if (exchange.upstream().attempts() > 1) {
            attributes.put("http.request.resend_count", exchange.upstream().attempts() - 1L);
        }
        attributes.putUnless(
                "peer.service",
                known(
                        server
                                ? exchange.edge().source().service()
                                : exchange.edge().destinationServiceName()));
        attributes.put("bodyguard.destination.service", exchange.edge().destinationService());
        party("bodyguard.source", exchange.edge().source(), attributes);
        party("bodyguard.destination", exchange.edge().destination(), attributes);
        // Who proved to be at the connection's other end: towards the app that is nobody.
        String peer = server
                ? exchange.downstream().peer()
                : known(exchange.edge().destination().principal());
        attributes.put("bodyguard.mtls", peer == null ? "false" : "true");
        attributes.putUnless("bodyguard.peer", peer);
        if (!response.flags().equals("-")) {
            attributes.put("bodyguard.response_flags", response.flags());
        }
        attributes.putUnless("bodyguard.rule", exchange.decision().rule());
        if (isError(exchange, server)) {
            attributes.put(
                    "error.type",
                    response.grpcStatus() > 0
                            ? Integer.toString(response.grpcStatus())
                            : response.code() == 0 ? response.flags() : Integer.toString(response.code()));
            int status = to.open(15);
            var why = exchange.decision().sentence();
            if (why != null) {
                to.text(2, why.length() > LONGEST ? why.substring(0, LONGEST) : why);
            }
            to.number(3, STATUS_ERROR);
            to.close(status);
        }
        to.fixed32(16, trace.sampled() ? 1 : 0);
        to.close(span);
    }

    /// Of few different values, as a name must be: no path of HTTP, but gRPC's method.
    private static String name(Exchange exchange) {
        var path = withoutQuery(exchange.request().path());
        return exchange.edge().protocol() == Edge.Protocol.GRPC && path.length() > 1
                ? path.substring(1)
                : exchange.request().method() + " " + exchange.edge().destinationServiceName();
    }

    /// What follows the question mark may be a secret.
    private static String withoutQuery(String path) {
        int query = path.indexOf('?');
        return query < 0 ? path : path.substring(0, query);
    }

    /// A status of 400 and above is the client's own error, and so one of its span only.
    private static boolean isError(Exchange exchange, boolean server) {
        int code = exchange.response().code();
        return code == 0 || code >= (server ? 500 : 400) || exchange.response().grpcStatus() > 0;
    }

    private static void party(String prefix, Party party, Attributes to) {
        to.putUnless(prefix + ".workload", known(party.workload()));
        to.putUnless(prefix + ".version", known(party.version()));
    }

    private static @Nullable String known(String value) {
        return value.equals(Party.UNKNOWN_WORD) ? null : value;
    }

    private void resource(ProtobufWriter to) {
        int resource = to.open(1);
        var attributes = new Attributes(to, 1);
        attributes.put("service.name", self.service());
        attributes.put("service.namespace", self.namespace());
        attributes.putUnless("service.version", known(self.version()));
        attributes.put("service.instance.id", self.workload());
        attributes.put("telemetry.sdk.name", "bodyguard");
        attributes.put("telemetry.sdk.language", "java");
        to.close(resource);
    }

    private static void scope(ProtobufWriter to) {
        int scope = to.open(1);
        to.text(1, "dev.bodyguard.telemetry.record");
        to.close(scope);
    }

    private static long nanos(long millis) {
        return millis * 1_000_000;
    }

    /// `KeyValue`s of one message.
    static final class Attributes {
        private final ProtobufWriter to;
        private final int field;

        Attributes(ProtobufWriter to, int field) {
            this.to = to;
            this.field = field;
        }

        void put(String key, String text) {
            int pair = to.open(field);
            to.text(1, key);
            int value = to.open(2);
            to.text(1, text.length() > LONGEST ? text.substring(0, LONGEST) : text);
            to.close(value);
            to.close(pair);
        }

        void put(String key, long number) {
            int pair = to.open(field);
            to.text(1, key);
            int value = to.open(2);
            to.number(3, number);
            to.close(value);
            to.close(pair);
        }

        void putUnless(String key, @Nullable String text) {
            if (text != null) {
                put(key, text);
            }
        }
    }
}
