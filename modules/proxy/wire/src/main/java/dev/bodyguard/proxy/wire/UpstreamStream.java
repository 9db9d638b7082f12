package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;

/// A request on its way to a peer, on one loop. What is written before the connection is there waits; until then
/// `isWritable()` is false.
public interface UpstreamStream {
    /// More of the request's body. The stream owns `chunk` from here on, also when the peer has gone.
    void data(ByteBuf chunk, boolean last);

    /// Ends the request with trailer fields.
    void trailers(Fields trailers);

    /// Nobody wants the answer: RST_STREAM, or the connection is closed. The listener hears nothing more.
    void cancel(Reset reason);

    boolean isWritable();

    /// No more `onData` until `resume()`.
    void pause();

    void resume();
}
