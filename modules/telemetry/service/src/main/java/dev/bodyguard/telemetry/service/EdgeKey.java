package dev.bodyguard.telemetry.service;

/// Who talks to whom, whichever of the two reported it. What is not known is the word `unknown`.
///
/// @param destinationService the host that was asked for, `payment-service.default.svc.cluster.local`
record EdgeKey(
        String source,
        String sourceNamespace,
        String sourceVersion,
        String destination,
        String destinationNamespace,
        String destinationVersion,
        String destinationService) {
    static final String UNKNOWN = "unknown";
    private static final String OTHER = "other";

    /// Where everything beyond the limit is counted.
    static final EdgeKey BEYOND = new EdgeKey(OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER);
}
