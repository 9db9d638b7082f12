package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.UpstreamStream;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/// What was sent of a request's body, kept for another attempt as long as it is not much.
final class Replay {
    static final int ROOM = 64 * 1024;

    private final Room room;
    private final ArrayList<ByteBuf> chunks = new ArrayList<>(2);
    private int size;
    private boolean complete;
    private @Nullable Fields trailers;

    Replay(Room room) {
        this.room = room;
    }

    /// Keeps a reference of its own; false where there is no room.
    boolean keep(ByteBuf chunk, boolean last) {
        if (size + chunk.readableBytes() > ROOM || !room.take(chunk.readableBytes())) {
            return false;
        }
        size += chunk.readableBytes();
        chunks.add(chunk.retainedDuplicate());
        complete |= last;
        return true;
    }

    void keep(Fields trailers) {
        this.trailers = trailers.copy();
        complete = true;
    }

    void sendTo(UpstreamStream stream) {
        for (int i = 0; i < chunks.size(); i++) {
            stream.data(chunks.get(i).retainedDuplicate(), complete && trailers == null && i == chunks.size() - 1);
        }
        if (trailers != null) {
            stream.trailers(trailers.copy());
        }
    }

    void release() {
        chunks.forEach(ByteBuf::release);
        chunks.clear();
        room.giveBack(size);
        size = 0;
    }
}
