package dev.bodyguard.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/// What has happened so far, as the table and the final object show it.
record Progress(
        long requests,
        long succeeded,
        long retries,
        Map<String, Long> byVersion,
        double mutualTlsShare,
        double p50Millis,
        double p99Millis,
        long spans) {
    Progress {
        byVersion = Map.copyOf(byVersion);
    }

    double successShare() {
        return requests == 0 ? 1 : (double) succeeded / requests;
    }

    /// The share of one version among the answers that named one.
    double shareOf(String version) {
        long all = byVersion.values().stream().mapToLong(Long::longValue).sum();
        return all == 0 ? 0 : (double) byVersion.getOrDefault(version, 0L) / all;
    }

    String json() {
        var out = new LinkedHashMap<String, Object>();
        out.put("requests", requests);
        out.put("succeeded", succeeded);
        out.put("retries", retries);
        out.put("byVersion", new TreeMap<>(byVersion));
        out.put("mtlsShare", rounded(mutualTlsShare, 10_000));
        out.put("p50Ms", rounded(p50Millis, 100));
        out.put("p99Ms", rounded(p99Millis, 100));
        out.put("spans", spans);
        return Json.write(out);
    }

    private static double rounded(double value, int parts) {
        return (double) Math.round(value * parts) / parts;
    }
}
