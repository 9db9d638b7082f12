package dev.bodyguard.xds.snapshot;

import java.util.List;

/// What a session makes of a request or of new resources.
///
/// @param <R> the protocol's response message
public sealed interface Reaction<R> {
    /// Go on: send these, in this order. Either list may be empty.
    record Answer<R>(List<R> send, List<Heard> heard) implements Reaction<R> {
        public Answer {
            send = List.copyOf(send);
            heard = List.copyOf(heard);
        }
    }

    /// The client asked for more than it may; the stream ends with this sentence.
    record Refusal<R>(String why) implements Reaction<R> {}
}
