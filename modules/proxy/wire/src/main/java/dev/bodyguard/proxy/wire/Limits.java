package dev.bodyguard.proxy.wire;

import java.time.Duration;

/// What one peer may ask of this process. Beyond a limit the answer is an error of the protocol, never memory.
///
/// @param accepted connections of clients that one listener has at a time; further ones are closed at once
/// @param requestLine bytes of an HTTP/1 request line (414 beyond)
/// @param headBytes bytes of a head's or trailer's fields (431 beyond)
/// @param fieldCount fields of a head or trailer (431 beyond)
/// @param concurrentStreams HTTP/2 streams that a client may have open on one connection
/// @param resetsPerSecond RST_STREAM frames per second on one connection before it is closed (CVE-2023-44487)
/// @param streamWindow HTTP/2 bytes that a peer may send ahead on one stream
/// @param connectionWindow HTTP/2 bytes that a peer may send ahead on one connection
/// @param handshake time for a TLS handshake and for the first bytes to be recognised
/// @param head time from the first byte of an HTTP/1 head to its last
/// @param idle time that a client's connection may stay without a request
/// @param upstreamIdle time that a pooled upstream connection is kept without a request
/// @param pooledIdle idle HTTP/1 connections kept for one target and loop
/// @param connections connections opened to one target by one loop (HTTP/1)
/// @param pending requests that wait for one target's connection on one loop
public record Limits(
        int accepted,
        int requestLine,
        int headBytes,
        int fieldCount,
        int concurrentStreams,
        int resetsPerSecond,
        int streamWindow,
        int connectionWindow,
        Duration handshake,
        Duration head,
        Duration idle,
        Duration upstreamIdle,
        int pooledIdle,
        int connections,
        int pending) {
    /// Interim answers (1xx) that a server may send before the real one: a client that is slow has them all wait.
    static final int INTERIM_ANSWERS = 32;

    public static final Limits DEFAULTS = new Limits(
            10_000,
            16 << 10,
            64 << 10,
            200,
            1000,
            2000,
            256 << 10,
            2 << 20,
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofMinutes(10),
            Duration.ofSeconds(60),
            256,
            4096,
            4096);
}
