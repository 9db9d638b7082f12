package dev.bodyguard.proxy.wire;

/// Why a request opened upstream was not answered in full; what it says decides whether it may be sent again.
public sealed interface Failure {
    /// A sentence for a log line.
    String reason();

    /// No connection: refused, unreachable, timed out, or its TLS was turned down by either side. Nothing was sent.
    record ConnectFailed(String reason) implements Failure {}

    /// The peer took a plaintext connection and did not answer HTTP/2's preface as HTTP/2 does. Nothing was sent.
    /// `answered`: it said something else, rather than hang up.
    record NotHttp2(String reason, boolean answered) implements Failure {}

    /// The peer's HTTP/2 knows no other protocols. Nothing was sent.
    record NoUpgrades(String reason) implements Failure {}

    /// The peer said it has not processed this stream (REFUSED_STREAM, or above a GOAWAY's last stream).
    record Refused(String reason) implements Failure {}

    /// The request's head is larger than this peer takes, as another one may not be; nothing was sent.
    record TooLarge(String reason) implements Failure {}

    /// The peer reset this stream. `answering`: after its head had come.
    record StreamReset(String reason, boolean answering) implements Failure {}

    /// The connection broke. `reused`: it had served a request before. `answering`: after the first byte of an answer.
    record Closed(String reason, boolean reused, boolean answering) implements Failure {}

    /// The peer's answer broke its protocol's rules.
    record Malformed(String reason, boolean answering) implements Failure {}

    /// A limit of ours was reached; nothing was sent.
    record Overflow(String reason) implements Failure {}
}
