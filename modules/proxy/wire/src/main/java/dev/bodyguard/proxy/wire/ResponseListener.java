package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;

/// Hears the answer to a request opened upstream, on the loop that opened it. Only `onOpen` may come from within `open`
/// itself.
public interface ResponseListener {
    /// The connection is there and the head of the request is being written. Before this, nothing reached the peer.
    default void onOpen(boolean reusedConnection) {}

    /// A 1xx answer that precedes the real one.
    default void onInterim(Response head) {}

    void onHead(Response head, boolean last);

    /// More of the body, possibly empty where `last`. The callee owns `chunk`.
    void onData(ByteBuf chunk, boolean last);

    /// Trailer fields, which end the answer.
    void onTrailers(Fields trailers);

    /// There is no (further) answer.
    void onFailure(Failure failure);

    /// The request has room again after `isWritable()` was false.
    void onWritable();
}
