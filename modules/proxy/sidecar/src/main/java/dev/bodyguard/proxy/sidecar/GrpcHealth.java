package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Loop;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Response;
import dev.bodyguard.proxy.wire.ResponseListener;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.proxy.wire.UpstreamStream;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.proxy.wire.Version;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Asks a server for its health as gRPC's health checking protocol has it, by the proxy's own HTTP/2. The two messages
/// have one field each.
final class GrpcHealth {
    /// Of `grpc.health.v1.HealthCheckResponse.ServingStatus`.
    static final int SERVING = 1;

    private static final int PREFIX = 5;
    private static final int LONGEST_ANSWER = 1 << 10;

    private final Upstreams upstreams;
    private final Loop loop;
    private final AppPlace place;

    GrpcHealth(Upstreams upstreams, Loop loop, AppPlace place) {
        this.upstreams = upstreams;
        this.loop = loop;
        this.place = place;
    }

    /// The number of a `ServingStatus`.
    ///
    /// @param service empty for the server as a whole
    int check(InetSocketAddress address, String service, Duration patience) throws IOException {
        var target = new Target(
                address,
                new Transport.Plaintext(true),
                patience,
                place.from(address.getAddress()).orElse(null));
        var answer = new Answer();
        loop.execute(() -> answer.askFor(target, service));
        try {
            return answer.status.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            loop.execute(answer::cancel);
            throw new SocketTimeoutException();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted");
        } catch (ExecutionException failed) {
            var cause = failed.getCause();
            throw new IOException(String.valueOf(cause == null ? failed.getMessage() : cause.getMessage()), failed);
        }
    }

    static byte[] question(String service) {
        var message = new byte[service.isEmpty() ? 0 : CodedOutputStream.computeStringSize(1, service)];
        try {
            var out = CodedOutputStream.newInstance(message);
            if (!service.isEmpty()) {
                out.writeString(1, service);
            }
            out.flush();
        } catch (IOException impossible) {
            throw new IllegalStateException("an array of the right length", impossible);
        }
        return ByteBuffer.allocate(PREFIX + message.length)
                .put((byte) 0)
                .putInt(message.length)
                .put(message)
                .array();
    }

    static int status(byte[] answer) throws IOException {
        if (answer.length < PREFIX || answer[0] != 0) {
            throw new IOException("it answered with no message of gRPC");
        }
        var message = CodedInputStream.newInstance(Arrays.copyOfRange(answer, PREFIX, answer.length));
        int status = 0;
        for (int tag = message.readTag(); tag != 0; tag = message.readTag()) {
            if (WireFormat.getTagFieldNumber(tag) == 1
                    && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_VARINT) {
                status = message.readEnum();
            } else {
                message.skipField(tag);
            }
        }
        return status;
    }

    /// Lives on the loop, but for its status.
    private final class Answer implements ResponseListener {
        private final CompletableFuture<Integer> status = new CompletableFuture<>();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private @Nullable UpstreamStream stream;

        void askFor(Target target, String service) {
            byte[] question = question(service);
            var head = new Request(
                    Version.HTTP_2,
                    "POST",
                    "http",
                    target.toString(),
                    "/grpc.health.v1.Health/Check",
                    Fields.of("content-type", "application/grpc", "te", "trailers"));
            var opened = upstreams.open(loop, target, head, false, this);
            stream = opened;
            opened.data(Unpooled.wrappedBuffer(question), true);
        }

        void cancel() {
            if (stream != null) {
                stream.cancel(Reset.CANCELLED);
            }
        }

        @Override
        public void onHead(Response head, boolean last) {
            if (head.status() != 200) {
                status.completeExceptionally(new IOException("it answered " + head.status()));
            } else if (last) {
                over(head.fields());
            }
        }

        @Override
        public void onData(ByteBuf chunk, boolean last) {
            int room = LONGEST_ANSWER - body.size();
            byte[] bytes = new byte[Math.min(room, chunk.readableBytes())];
            chunk.readBytes(bytes).release();
            body.writeBytes(bytes);
            if (last) {
                status.completeExceptionally(new IOException("it answered without a status of gRPC"));
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            over(trailers);
        }

        private void over(Fields ending) {
            var code = ending.get("grpc-status");
            if (!"0".contentEquals(code == null ? "" : code)) {
                status.completeExceptionally(new IOException("it answered with gRPC's status " + code));
                return;
            }
            try {
                status.complete(status(body.toByteArray()));
            } catch (IOException broken) {
                status.completeExceptionally(broken);
            }
        }

        @Override
        public void onFailure(Failure failure) {
            status.completeExceptionally(new IOException(failure.reason()));
        }

        @Override
        public void onWritable() {}
    }
}
