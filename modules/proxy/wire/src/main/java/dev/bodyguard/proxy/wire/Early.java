package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What was written of a request before there was a connection for it.
final class Early {
    /// Null as long as there are none, as for most requests.
    private @Nullable ArrayDeque<ByteBuf> chunks;

    private @Nullable Fields trailers;
    private boolean last;

    /// Where it goes once there is one.
    @FunctionalInterface
    interface Body {
        void write(ByteBuf chunk, boolean last);
    }

    boolean isEmpty() {
        return chunks == null && trailers == null;
    }

    /// Takes over `chunk`.
    void data(ByteBuf chunk, boolean ends) {
        if (chunks == null) {
            chunks = new ArrayDeque<>(4);
        }
        chunks.add(chunk);
        last = ends;
    }

    void trailers(Fields ending) {
        trailers = ending;
    }

    void moveTo(Body body, Consumer<Fields> end) {
        var waiting = chunks;
        chunks = null;
        while (waiting != null && !waiting.isEmpty()) {
            var chunk = waiting.remove();
            body.write(chunk, last && waiting.isEmpty());
        }
        if (trailers != null) {
            end.accept(trailers);
        }
    }

    void release() {
        if (chunks != null) {
            chunks.forEach(ByteBuf::release);
            chunks = null;
        }
    }
}
