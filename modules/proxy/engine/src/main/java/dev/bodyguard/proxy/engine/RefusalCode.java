package dev.bodyguard.proxy.engine;

/// What machines are told of a refusal.
///
/// @param flag Envoy's response flag
/// @param details Envoy's word for it
record RefusalCode(int status, String flag, String details) {
    /// Nothing came from upstream.
    static RefusalCode reset(int status, String flag, String how) {
        return new RefusalCode(status, flag, "upstream_reset_before_response_started{" + how + "}");
    }
}
