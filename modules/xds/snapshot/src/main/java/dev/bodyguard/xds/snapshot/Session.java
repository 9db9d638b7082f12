package dev.bodyguard.xds.snapshot;

import java.util.List;
import java.util.Map;

/// The server's half of one xDS stream, as a state machine. One thread owns it.
///
/// @param <Q> the protocol's request message
/// @param <R> its response message
public sealed interface Session<Q, R> permits DeltaSession, FullSession {
    /// A request came in: a subscription, an acknowledgement, or both.
    Reaction<R> hear(Q request);

    /// There is a new generation. What the client has already is not sent again.
    Reaction<R> offer(Resources next);

    /// Types the client has asked for, in the order in which they are served.
    List<String> types();

    /// Resource to version: what the client has acknowledged and therefore works with.
    Map<String, String> inForce(String typeUrl);

    /// Resource to reason: what the client refused, as long as it has not taken another version of it. Where the client
    /// does not say which resource it means, every one in the response that it refused.
    Map<String, String> refused(String typeUrl);

    /// What is kept because the client said so, in bytes or a little more: the names it is subscribed to (their
    /// characters, plus 64 for each), what it has left without an answer, and why it refused what.
    long weight();

    /// True if the client has answered everything that was sent.
    boolean settled();
}
