package dev.bodyguard.telemetry.record;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;

/// Connections whose bytes are no HTTP, by who asked whom.
final class TcpMeters {
    private final int most;
    private final Edge other;
    private final ConcurrentMap<Edge, Series> edges = new ConcurrentHashMap<>();

    /// @param most edges that are told apart
    /// @param other all further ones
    TcpMeters(int most, Edge other) {
        this.most = most;
        this.other = other;
    }

    void opened(Edge edge) {
        series(edge).opened.increment();
    }

    void closed(Edge edge, long received, long sent) {
        var series = series(edge);
        series.closed.increment();
        series.received.add(received);
        series.sent.add(sent);
    }

    private Series series(Edge edge) {
        var found = edges.get(edge);
        if (found != null) {
            return found;
        }
        return edges.computeIfAbsent(edges.size() >= most ? other : edge, Series::new);
    }

    void write(StringBuilder to) {
        var all = new ArrayList<>(edges.values());
        family(to, all, "istio_tcp_connections_opened_total", "Connections that began.", one -> one.opened);
        family(to, all, "istio_tcp_connections_closed_total", "Connections that ended.", one -> one.closed);
        family(to, all, "istio_tcp_sent_bytes_total", "Bytes to whoever connected.", one -> one.sent);
        family(to, all, "istio_tcp_received_bytes_total", "Bytes from whoever connected.", one -> one.received);
    }

    private static void family(
            StringBuilder to, List<Series> all, String name, String help, Function<Series, LongAdder> what) {
        Meters.head(to, name, help, "counter");
        for (var one : all) {
            to.append(name);
            Meters.labelled(to, one.labels);
            to.append(' ').append(what.apply(one).sum()).append('\n');
        }
    }

    private static final class Series {
        private final String labels;
        private final LongAdder opened = new LongAdder();
        private final LongAdder closed = new LongAdder();
        private final LongAdder sent = new LongAdder();
        private final LongAdder received = new LongAdder();

        Series(Edge edge) {
            var to = new StringBuilder(EdgeMeters.before(edge));
            Meters.label(to, "connection_security_policy", edge.security().word);
            labels = to.toString();
        }
    }
}
