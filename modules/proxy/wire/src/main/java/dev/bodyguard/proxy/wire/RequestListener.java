package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;

/// Hears what follows a request's head. Every method is called on the exchange's loop.
public interface RequestListener {
    /// More of the body, possibly empty where `last`. The callee owns `chunk`.
    void onData(ByteBuf chunk, boolean last);

    /// Trailer fields, which end the request.
    void onTrailers(Fields trailers);

    /// The client gave up, or its connection broke, before it had the whole answer. Cancel what was begun for it: no
    /// answer can be delivered any more. May come after the request's end, never after the answer's.
    void onReset(Reset reason);

    /// The request broke its protocol after its head, and ended by that; as [#onReset] otherwise.
    ///
    /// @param status that the client is answered with, 0 where it is not
    /// @param sentence what is wrong
    default void onMalformed(int status, String sentence) {
        onReset(Reset.MALFORMED);
    }

    /// The answer has room again after `isWritable()` was false.
    void onWritable();
}
