package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.HeaderChanges;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Response;
import io.netty.buffer.ByteBuf;
import java.util.List;

/// An upstream's answer on its way to the client, and what is noted about it. Once begun it cannot be taken back.
final class Answer {
    private final Exchange client;
    private final Facts facts;
    private final List<HeaderChanges> changes;
    private boolean begun;

    Answer(Exchange client, Facts facts, List<HeaderChanges> changes) {
        this.client = client;
        this.facts = facts;
        this.changes = changes;
    }

    boolean isBegun() {
        return begun;
    }

    /// Whether the client takes more now; otherwise its own `onWritable` says when.
    boolean hasRoom() {
        return client.isWritable();
    }

    void interim(Response head) {
        if (!begun) {
            client.interim(head);
        }
    }

    void head(Response head, boolean last) {
        begun = true;
        facts.responded(System.nanoTime());
        facts.details = "via_upstream";
        facts.status = head.status();
        facts.grpcStatus = grpcStatus(head.fields());
        for (var change : changes) {
            Headers.change(head.fields(), change);
        }
        client.head(head, last);
    }

    void data(ByteBuf chunk, boolean last) {
        facts.responseBytes += chunk.readableBytes();
        client.data(chunk, last);
    }

    void trailers(Fields trailers) {
        int grpc = grpcStatus(trailers);
        if (grpc >= 0) {
            facts.grpcStatus = grpc;
        }
        client.trailers(trailers);
    }

    /// -1 where there is none.
    static int grpcStatus(Fields fields) {
        var text = fields.get("grpc-status");
        if (text == null || text.isEmpty() || text.length() > 3) {
            return -1;
        }
        int status = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            status = 10 * status + digit;
        }
        return status;
    }
}
