package dev.bodyguard.telemetry.record;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.regex.Pattern;

/// The counters of one process, and their text in Prometheus' format 0.0.4.
public final class Meters {
    /// The `content-type` of [#text()].
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private static final Pattern NAME = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");
    private static final Pattern LABEL = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

    private final int mostEdges;
    private final ConcurrentMap<Edge, EdgeMeters> edges = new ConcurrentHashMap<>();
    private final EdgeMeters beyond;
    private final Map<String, Family> families = Collections.synchronizedMap(new TreeMap<>());
    private final Counters retries;
    private final Counters refusedRetries;
    private final Counters ejections;
    private final Counters sparedEjections;
    private final Counter collapsed;
    private final TcpMeters tcp;

    /// No more than a thousand edges, then all further ones are counted as one.
    public Meters() {
        this(1_000);
    }

    /// No series yet.
    ///
    /// @param mostEdges how many pairs of workloads are told apart
    public Meters(int mostEdges) {
        this.mostEdges = mostEdges;
        this.beyond = new EdgeMeters(new Edge(
                Edge.Reporter.DESTINATION,
                Party.UNKNOWN,
                Party.UNKNOWN,
                "other",
                "other",
                "other",
                Edge.Protocol.HTTP,
                Edge.Security.UNKNOWN));
        this.tcp = new TcpMeters(
                mostEdges,
                new Edge(
                        Edge.Reporter.DESTINATION,
                        Party.UNKNOWN,
                        Party.UNKNOWN,
                        "other",
                        "other",
                        "other",
                        Edge.Protocol.TCP,
                        Edge.Security.UNKNOWN));
        this.retries = counters(
                "bodyguard_upstream_retries_total",
                "Attempts after the first, by destination.",
                "destination_service",
                "destination_service_name",
                "destination_service_namespace");
        this.refusedRetries = counters(
                "bodyguard_upstream_retries_refused_total",
                "Retries the policy wanted and a limit did not allow, by destination.",
                "destination_service",
                "reason");
        this.ejections = counters(
                "bodyguard_upstream_ejections_total",
                "Endpoints that were left alone for a while, by destination and Envoy's word for the reason.",
                "destination_service",
                "reason");
        this.sparedEjections = counters(
                "bodyguard_upstream_ejections_spared_total",
                "Endpoints that failed too often in a row and stayed, by destination, reason and why.",
                "destination_service",
                "reason",
                "why");
        this.collapsed = counters(
                        "bodyguard_telemetry_edges_beyond_limit_total",
                        "Look-ups of an edge that were counted under destination_service=\"other\".")
                .with();
    }

    /// The meters of an edge; worth keeping where the edge stays the same, though looking one up is cheap too.
    public EdgeMeters edge(Edge edge) {
        EdgeMeters found = edges.get(edge);
        if (found != null) {
            return found;
        }
        // May overshoot by the number of threads that come here at once, no further.
        if (edges.size() >= mostEdges) {
            collapsed.increment();
            return beyond;
        }
        return edges.computeIfAbsent(edge, EdgeMeters::new);
    }

    /// Counts a connection of bytes that are no HTTP as begun; [#record] counts its end.
    public void opened(Edge edge) {
        tcp.opened(edge);
    }

    /// Counts an exchange under its edge.
    public void record(Exchange exchange) {
        if (exchange.edge().protocol() == Edge.Protocol.TCP) {
            tcp.closed(
                    exchange.edge(),
                    exchange.request().bytes(),
                    exchange.response().bytes());
            return;
        }
        var edge = edge(exchange.edge());
        edge.record(
                exchange.response().code(),
                exchange.response().grpcStatus(),
                exchange.response().flags(),
                exchange.durationNanos(),
                exchange.request().bytes(),
                exchange.response().bytes());
        if (exchange.upstream().attempts() > 1) {
            edge.retried(exchange.upstream().attempts() - 1);
        }
    }

    /// Counter of `bodyguard_upstream_retries_total`, worth keeping beside the cluster.
    public Counter retries(String service, String name, String namespace) {
        return retries.with(Party.orUnknown(service), Party.orUnknown(name), Party.orUnknown(namespace));
    }

    /// Counter of `bodyguard_upstream_retries_refused_total`.
    ///
    /// @param reason `budget`, `attempts` or `body`
    public Counter retriesRefused(String service, String reason) {
        return refusedRetries.with(Party.orUnknown(service), reason);
    }

    /// Counter of `bodyguard_upstream_ejections_total`.
    ///
    /// @param reason as Envoy has it: `consecutive_5xx`
    public Counter ejections(String service, String reason) {
        return ejections.with(Party.orUnknown(service), reason);
    }

    /// Counter of `bodyguard_upstream_ejections_spared_total`.
    ///
    /// @param why `too_many` or `not_enforced`
    public Counter ejectionsSpared(String service, String reason, String why) {
        return sparedEjections.with(Party.orUnknown(service), reason, why);
    }

    /// A family of counters; the same one for the same name.
    ///
    /// @param name ends with `_total`
    /// @param labels names of the labels, whose values [Counters#with] takes in this order
    public Counters counters(String name, String help, String... labels) {
        if (!name.endsWith("_total")) {
            throw new IllegalArgumentException("a counter's name must end with _total, was " + name);
        }
        check(name, labels);
        return (Counters) families.computeIfAbsent(name, _ -> new Counters(name, help, List.of(labels)));
    }

    /// Adds a gauge that is asked whenever the text is written.
    ///
    /// @param labels names and values, in order: `"state", "ready"`
    public void gauge(String name, String help, DoubleSupplier value, String... labels) {
        if (labels.length % 2 != 0) {
            throw new IllegalArgumentException("labels must be names and values in turn");
        }
        var to = new StringBuilder();
        var names = new ArrayList<String>();
        for (int i = 0; i < labels.length; i += 2) {
            names.add(labels[i]);
            label(to, labels[i], labels[i + 1]);
        }
        check(name, names.toArray(String[]::new));
        var family = (Gauges) families.computeIfAbsent(name, _ -> new Gauges(name, help));
        family.members.add(new Gauge(to.toString(), value));
    }

    private static void check(String name, String... labels) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not a metric's name: " + name);
        }
        for (String label : labels) {
            if (!LABEL.matcher(label).matches() || label.startsWith("__")) {
                throw new IllegalArgumentException("not a label's name: " + label);
            }
        }
    }

    /// Everything, as Prometheus reads it.
    public String text() {
        var to = new StringBuilder(16_384);
        write(to);
        return to.toString();
    }

    /// Appends everything, as Prometheus reads it.
    public void write(StringBuilder to) {
        var all = edges();
        head(to, "istio_requests_total", "Requests, by who asked whom and how it ended.", "counter");
        all.forEach(edge -> edge.requests(to));
        head(
                to,
                "istio_request_duration_milliseconds",
                "Time from a request's first byte to its response's last.",
                "histogram");
        all.forEach(edge -> edge.durations(to));
        head(to, "istio_request_bytes", "Sizes of request bodies.", "histogram");
        all.forEach(edge -> edge.requestBytes(to));
        head(to, "istio_response_bytes", "Sizes of response bodies.", "histogram");
        all.forEach(edge -> edge.responseBytes(to));
        tcp.write(to);
        List<Family> others;
        synchronized (families) {
            others = List.copyOf(families.values());
        }
        others.forEach(family -> family.write(to));
    }

    List<EdgeMeters> edges() {
        var all = new ArrayList<>(edges.values());
        all.add(beyond);
        return all;
    }

    static void head(StringBuilder to, String name, String help, String type) {
        to.append("# HELP ").append(name).append(' ');
        for (int i = 0; i < help.length(); i++) {
            switch (help.charAt(i)) {
                case '\\' -> to.append("\\\\");
                case '\n' -> to.append("\\n");
                default -> to.append(help.charAt(i));
            }
        }
        to.append("\n# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    /// Appends `name="value"`, with a comma before it unless it is the first.
    static void label(StringBuilder to, String name, String value) {
        if (!to.isEmpty()) {
            to.append(',');
        }
        to.append(name).append("=\"");
        for (int i = 0; i < value.length(); i++) {
            switch (value.charAt(i)) {
                case '\\' -> to.append("\\\\");
                case '"' -> to.append("\\\"");
                case '\n' -> to.append("\\n");
                default -> to.append(value.charAt(i));
            }
        }
        to.append('"');
    }

    static void labelled(StringBuilder to, String labels) {
        if (!labels.isEmpty()) {
            to.append('{').append(labels).append('}');
        }
    }

    /// Series of one name.
    sealed interface Family {
        void write(StringBuilder to);
    }

    /// Counters of one name, told apart by their labels' values.
    public static final class Counters implements Family {
        /// Values may come from peers: beyond this many all further ones are one.
        private static final int MOST = 1_000;

        private final String name;
        private final String help;
        private final List<String> labels;
        private final ConcurrentMap<List<String>, Counter> members = new ConcurrentHashMap<>();

        private Counters(String name, String help, List<String> labels) {
            this.name = name;
            this.help = help;
            this.labels = labels;
        }

        /// The counter of these values. Allocates: keep it.
        public Counter with(String... values) {
            if (values.length != labels.size()) {
                throw new IllegalArgumentException(name + " has the labels " + labels + ", not " + values.length);
            }
            var key = List.of(values);
            Counter found = members.get(key);
            if (found != null) {
                return found;
            }
            if (members.size() >= MOST) {
                key = Collections.nCopies(labels.size(), "other");
            }
            return members.computeIfAbsent(key, of -> {
                var text = new StringBuilder();
                for (int i = 0; i < of.size(); i++) {
                    label(text, labels.get(i), of.get(i));
                }
                return new Counter(text.toString());
            });
        }

        @Override
        public void write(StringBuilder to) {
            head(to, name, help, "counter");
            for (Counter counter : members.values()) {
                to.append(name);
                labelled(to, counter.labels);
                to.append(' ').append(counter.value.sum()).append('\n');
            }
        }
    }

    /// Only ever goes up.
    public static final class Counter {
        private final String labels;
        private final LongAdder value = new LongAdder();

        private Counter(String labels) {
            this.labels = labels;
        }

        public void increment() {
            value.increment();
        }

        public void add(long more) {
            if (more < 0) {
                throw new IllegalArgumentException("a counter only goes up, was asked to add " + more);
            }
            value.add(more);
        }

        /// As far as it is.
        public long value() {
            return value.sum();
        }
    }

    private static final class Gauges implements Family {
        private final String name;
        private final String help;
        private final List<Gauge> members = new CopyOnWriteArrayList<>();

        Gauges(String name, String help) {
            this.name = name;
            this.help = help;
        }

        @Override
        public void write(StringBuilder to) {
            head(to, name, help, "gauge");
            for (Gauge gauge : members) {
                to.append(name);
                labelled(to, gauge.labels);
                double value = gauge.value.getAsDouble();
                to.append(' ');
                if (value == Math.rint(value) && Math.abs(value) < 1e15) {
                    to.append((long) value);
                } else if (Double.isInfinite(value)) {
                    to.append(value > 0 ? "+Inf" : "-Inf");
                } else {
                    to.append(value);
                }
                to.append('\n');
            }
        }
    }

    private record Gauge(String labels, DoubleSupplier value) {}
}
