package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;

/// An application that reads what it is sent, and never answers.
record Silent() implements RequestListener {
    @Override
    public void onData(ByteBuf chunk, boolean last) {
        chunk.release();
    }

    @Override
    public void onTrailers(Fields trailers) {}

    @Override
    public void onReset(Reset reason) {}

    @Override
    public void onWritable() {}
}
