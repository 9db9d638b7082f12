package dev.bodyguard.telemetry.record;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// The series of one edge. Recording an exchange adds to a few counters and allocates nothing once its code was seen.
public final class EdgeMeters {
    /// Codes, gRPC statuses and flags come from peers: beyond this many combinations all further ones are one.
    private static final int MOST = 128;

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Edge edge;
    private final String before;
    private final String after;
    private final LongAdder retries = new LongAdder();
    private volatile Series[] series = {};
    private long retriesSeen;
    private boolean retriesDue;

    EdgeMeters(Edge edge) {
        this.edge = edge;
        before = before(edge);
        after = ",connection_security_policy=\"" + edge.security().word + "\"";
    }

    /// Counts an exchange.
    ///
    /// @param code the HTTP status, 0 where there was none
    /// @param grpcStatus -1 where there is none
    /// @param flags response flags, `-` for none
    /// @param requestBytes of the request's body
    /// @param responseBytes of the response's body
    public void record(
            int code, int grpcStatus, String flags, long durationNanos, long requestBytes, long responseBytes) {
        Series found = find(series, code, grpcStatus, flags);
        if (found == null) {
            found = add(code, grpcStatus, flags);
        }
        found.requests.increment();
        found.duration.record(durationNanos);
        found.requestBytes.record(requestBytes);
        found.responseBytes.record(responseBytes);
    }

    /// Counts attempts after the first.
    public void retried(int times) {
        retries.add(times);
    }

    /// Decides what the next [#write] calls tell.
    void look(boolean everything) {
        long now = retries.sum();
        retriesDue = now > 0 && (everything || now != retriesSeen);
        retriesSeen = now;
        for (Series s : series) {
            long requests = s.requests.sum();
            s.due = everything || requests != s.seen;
            s.seen = requests;
        }
    }

    /// Adds what is due of one kind.
    void write(Otlp.Kind kind, Otlp.Batch to) {
        switch (kind) {
            case REQUESTS -> {
                for (Series s : series) {
                    if (s.due) {
                        to.number(kind, s.seen, attributes -> attributes(s, attributes));
                    }
                }
            }
            case DURATION -> {
                for (Series s : series) {
                    if (s.due) {
                        to.histogram(
                                kind,
                                s.duration.counts(),
                                s.duration.sum(),
                                Histogram.bounds(),
                                attributes -> attributes(s, attributes));
                    }
                }
            }
            case RETRIES -> {
                if (retriesDue) {
                    to.number(kind, retriesSeen, this::attributes);
                }
            }
        }
    }

    private void attributes(Series s, Otlp.Attributes to) {
        attributes(to);
        to.put("response_code", s.code < 0 ? "other" : Integer.toString(s.code));
        if (s.grpcStatus >= 0) {
            to.put("grpc_response_status", Integer.toString(s.grpcStatus));
        }
        to.put("response_flags", s.flags);
    }

    /// As the labels, less those that are unknown or follow from others.
    private void attributes(Otlp.Attributes to) {
        Party source = edge.source();
        Party destination = edge.destination();
        to.put("reporter", edge.reporter().word);
        known(to, "source_workload", source.workload());
        known(to, "source_workload_namespace", source.namespace());
        known(to, "source_principal", source.principal());
        known(to, "source_version", source.version());
        known(to, "source_canonical_service", source.service());
        known(to, "destination_workload", destination.workload());
        known(to, "destination_workload_namespace", destination.namespace());
        known(to, "destination_principal", destination.principal());
        known(to, "destination_version", destination.version());
        known(to, "destination_canonical_service", destination.service());
        known(to, "destination_service", edge.destinationService());
        known(to, "destination_service_name", edge.destinationServiceName());
        known(to, "destination_service_namespace", edge.destinationServiceNamespace());
        to.put("request_protocol", edge.protocol().word);
        known(to, "connection_security_policy", edge.security().word);
    }

    private static void known(Otlp.Attributes to, String key, String value) {
        if (!value.equals(Party.UNKNOWN_WORD)) {
            to.put(key, value);
        }
    }

    private static @Nullable Series find(Series[] among, int code, int grpcStatus, String flags) {
        for (Series s : among) {
            if (s.code == code && s.grpcStatus == grpcStatus && s.flags.equals(flags)) {
                return s;
            }
        }
        return null;
    }

    private synchronized Series add(int code, int grpcStatus, String flags) {
        Series[] known = series;
        Series found = find(known, code, grpcStatus, flags);
        if (found != null) {
            return found;
        }
        if (known.length >= MOST) {
            if (known.length > MOST) {
                return known[MOST];
            }
            found = new Series(-1, -1, "other", before, after);
        } else {
            found = new Series(code, grpcStatus, flags, before, after);
        }
        var more = Arrays.copyOf(known, known.length + 1);
        more[known.length] = found;
        series = more;
        return found;
    }

    void requests(StringBuilder to) {
        for (Series s : series) {
            to.append("istio_requests_total{")
                    .append(s.labels)
                    .append("} ")
                    .append(s.requests.sum())
                    .append('\n');
        }
    }

    void durations(StringBuilder to) {
        for (Series s : series) {
            s.duration.write(to, "istio_request_duration_milliseconds", s.labels);
        }
    }

    void requestBytes(StringBuilder to) {
        for (Series s : series) {
            s.requestBytes.write(to, "istio_request_bytes", s.labels);
        }
    }

    void responseBytes(StringBuilder to) {
        for (Series s : series) {
            s.responseBytes.write(to, "istio_response_bytes", s.labels);
        }
    }

    static String before(Edge edge) {
        var to = new StringBuilder();
        Party source = edge.source();
        Party destination = edge.destination();
        Meters.label(to, "reporter", edge.reporter().word);
        Meters.label(to, "source_workload", source.workload());
        Meters.label(to, "source_canonical_service", source.service());
        Meters.label(to, "source_canonical_revision", source.revision());
        Meters.label(to, "source_workload_namespace", source.namespace());
        Meters.label(to, "source_principal", source.principal());
        Meters.label(to, "source_app", source.app());
        Meters.label(to, "source_version", source.version());
        Meters.label(to, "source_cluster", source.cluster());
        Meters.label(to, "destination_workload", destination.workload());
        Meters.label(to, "destination_workload_namespace", destination.namespace());
        Meters.label(to, "destination_principal", destination.principal());
        Meters.label(to, "destination_app", destination.app());
        Meters.label(to, "destination_version", destination.version());
        Meters.label(to, "destination_service", edge.destinationService());
        Meters.label(to, "destination_canonical_service", destination.service());
        Meters.label(to, "destination_canonical_revision", destination.revision());
        Meters.label(to, "destination_service_name", edge.destinationServiceName());
        Meters.label(to, "destination_service_namespace", edge.destinationServiceNamespace());
        Meters.label(to, "destination_cluster", destination.cluster());
        Meters.label(to, "request_protocol", edge.protocol().word);
        return to.toString();
    }

    /// The counters of one combination of code, gRPC status and flags.
    private static final class Series {
        final int code;
        final int grpcStatus;
        final String flags;
        final String labels;
        final LongAdder requests = new LongAdder();
        final Histogram duration = new Histogram(NANOS_PER_MILLI);
        final Histogram requestBytes = new Histogram(1);
        final Histogram responseBytes = new Histogram(1);
        long seen;
        boolean due;

        Series(int code, int grpcStatus, String flags, String before, String after) {
            this.code = code;
            this.grpcStatus = grpcStatus;
            this.flags = flags;
            var to = new StringBuilder(before);
            Meters.label(to, "response_code", code < 0 ? "other" : Integer.toString(code));
            Meters.label(to, "grpc_response_status", grpcStatus < 0 ? "" : Integer.toString(grpcStatus));
            Meters.label(to, "response_flags", flags);
            labels = to.append(after).toString();
        }
    }
}
