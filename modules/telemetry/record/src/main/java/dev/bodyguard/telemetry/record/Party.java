package dev.bodyguard.telemetry.record;

/// One side of an exchange. Whatever is not known is the word `unknown`, as in Istio's metrics.
///
/// @param principal its SPIFFE id, scheme included
/// @param service the canonical service: the app label, or the service's name
public record Party(
        String workload,
        String namespace,
        String principal,
        String app,
        String version,
        String service,
        String cluster) {
    static final String UNKNOWN_WORD = "unknown";

    /// Nothing is known.
    public static final Party UNKNOWN = new Party("", "", "", "", "", "", "");

    public Party {
        workload = orUnknown(workload);
        namespace = orUnknown(namespace);
        principal = orUnknown(principal);
        app = orUnknown(app);
        version = orUnknown(version);
        service = orUnknown(service);
        cluster = orUnknown(cluster);
    }

    static String orUnknown(String value) {
        return value.isEmpty() ? UNKNOWN_WORD : value;
    }

    /// Istio's canonical revision: the version, `latest` for a known workload without one.
    String revision() {
        return version.equals(UNKNOWN_WORD) && !workload.equals(UNKNOWN_WORD) ? "latest" : version;
    }
}
