package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;

/// One request and its answer, on one loop, whichever protocol carries it.
public interface Exchange {
    Request request();

    /// The request has neither body nor trailers, and asks for no other protocol.
    boolean bodyless();

    Connection connection();

    Loop loop();

    /// No more `onData` until `resume()`; the client is not granted more than one window beyond what was delivered.
    void pause();

    void resume();

    /// A 1xx answer that precedes the real one.
    void interim(Response head);

    /// The head of the answer. `last`: there is nothing after it. Framing is this package's job: a `content-length` in
    /// the fields is kept and obeyed, otherwise the protocol's own way is used.
    ///
    /// 101, where the request asked for another protocol, is that one's beginning: what follows are its bytes,
    /// and each side ends on its own.
    void head(Response head, boolean last);

    /// More of the answer's body. The exchange owns `chunk` from here on, also when the client has gone.
    void data(ByteBuf chunk, boolean last);

    /// Ends the answer with trailer fields.
    void trailers(Fields trailers);

    /// Breaks the answer off so that the client notices: RST_STREAM, or the connection is closed.
    void reset(Reset reason);

    /// False while as much is waiting to be sent as one exchange may hold. Writing on is possible, but spends memory.
    boolean isWritable();
}
