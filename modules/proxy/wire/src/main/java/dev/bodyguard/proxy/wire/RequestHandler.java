package dev.bodyguard.proxy.wire;

/// Decides what becomes of requests; one per listener, called on many loops.
@FunctionalInterface
public interface RequestHandler {
    /// A request head has arrived. What is returned hears the rest of it; where `exchange.bodyless()` it hears only of
    /// a reset and of room for the answer. The answer may be given at once or later, on the same loop.
    RequestListener begin(Exchange exchange);

    /// What came was no request that could begin, and is answered already. On the connection's loop.
    default void unread(Unread what) {}
}
