package dev.bodyguard.model;

import java.util.Map;
import java.util.regex.Pattern;

/// Where something runs, from the widest to the narrowest; empty parts are not known.
public record Locality(String region, String zone, String subzone) implements Comparable<Locality> {
    /// Nobody knows where.
    public static final Locality UNKNOWN = new Locality("", "", "");

    private static final Pattern SLASH = Pattern.compile("/");
    private static final Pattern DOT = Pattern.compile("\\.");

    /// By the labels of a pod or a machine's workload: Istio's `topology.istio.io/locality` or the older
    /// `istio-locality`, else Kubernetes' `topology.kubernetes.io/region` and `topology.kubernetes.io/zone`, which
    /// newer versions of it copy from a node to its pods, with `topology.istio.io/subzone`.
    public static Locality of(Map<String, String> labels) {
        var whole = labels.getOrDefault("topology.istio.io/locality", labels.getOrDefault("istio-locality", ""));
        if (!whole.isEmpty()) {
            // A label's value has no slash.
            return parsed(whole, whole.contains("/") ? SLASH : DOT);
        }
        return new Locality(
                labels.getOrDefault("topology.kubernetes.io/region", ""),
                labels.getOrDefault("topology.kubernetes.io/zone", ""),
                labels.getOrDefault("topology.istio.io/subzone", ""));
    }

    /// `region/zone/subzone`, of which the last ones may be left out.
    public static Locality of(String written) {
        return parsed(written, SLASH);
    }

    private static Locality parsed(String text, Pattern between) {
        var parts = between.split(text, 3);
        return new Locality(parts[0], parts.length > 1 ? parts[1] : "", parts.length > 2 ? parts[2] : "");
    }

    /// Whether it is one of those that are meant: each part is the same, or `*`, or left out after the first.
    public boolean isIn(Locality meant) {
        return (meant.region.equals("*") || meant.region.equals(region))
                && (meant.zone.isEmpty() || meant.zone.equals("*") || meant.zone.equals(zone))
                && (meant.subzone.isEmpty() || meant.subzone.equals("*") || meant.subzone.equals(subzone));
    }

    @Override
    public int compareTo(Locality other) {
        return toString().compareTo(other.toString());
    }

    @Override
    public String toString() {
        return region + "/" + zone + "/" + subzone;
    }
}
