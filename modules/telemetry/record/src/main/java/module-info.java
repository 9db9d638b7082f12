/// What a proxy remembers of its exchanges: records, counters, histograms, trace ids, and how each is written down.
/// Knows nothing of requests under way, exporters or sockets.
module dev.bodyguard.telemetry.record {
    requires static transitive org.jspecify;

    exports dev.bodyguard.telemetry.record;
}
