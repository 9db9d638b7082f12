package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.SpiffeId;
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
import dev.bodyguard.telemetry.record.Otlp;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Posts to the telemetry service as a request is forwarded to a peer: by the pools of one event loop, HTTP/2 in mutual
/// TLS. Who posts waits, on a thread of its own; the loop does not.
final class TelemetryChannel implements Telemetry.Channel {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private final Upstreams upstreams;
    private final Loop loop;
    private final Supplier<String> address;
    private final Transport.Mtls transport;

    /// @param address `host:port`, empty where nobody listens
    TelemetryChannel(Upstreams upstreams, Loop loop, Supplier<String> address, String trustDomain) {
        this.upstreams = upstreams;
        this.loop = loop;
        this.address = address;
        this.transport = new Transport.Mtls(
                Set.of(SpiffeId.ofServiceAccount(trustDomain, "bodyguard-system", "telemetry")
                        .toString()),
                "telemetry.bodyguard-system",
                List.of("h2"));
    }

    @Override
    public int post(String path, byte[] body) throws IOException, InterruptedException {
        var target = target(address.get());
        var answer = new Answer();
        loop.execute(() -> answer.sendTo(target, path, body));
        try {
            return answer.status.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            loop.execute(answer::cancel);
            throw new IOException(target + " did not answer within " + PATIENCE.toSeconds() + " s", late);
        } catch (ExecutionException failed) {
            var cause = failed.getCause();
            throw new IOException(cause == null ? failed.toString() : cause.getMessage(), cause);
        }
    }

    private Target target(String hostPort) throws IOException {
        int colon = hostPort.lastIndexOf(':');
        if (colon < 0) {
            throw new IOException("no telemetry service is announced");
        }
        try {
            return new Target(
                    new InetSocketAddress(
                            InetAddress.getByName(hostPort.substring(0, colon)),
                            Integer.parseInt(hostPort.substring(colon + 1))),
                    transport,
                    CONNECT_TIMEOUT);
        } catch (IllegalArgumentException malformed) {
            throw new IOException("the telemetry service is announced at " + hostPort + ", no host:port", malformed);
        }
    }

    /// Lives on the loop, but for its status.
    private final class Answer implements ResponseListener {
        private final CompletableFuture<Integer> status = new CompletableFuture<>();
        private @Nullable UpstreamStream stream;
        private int code;

        void sendTo(Target target, String path, byte[] body) {
            var head = new Request(
                    Version.HTTP_2,
                    "POST",
                    "https",
                    target.toString(),
                    path,
                    Fields.of("content-type", Otlp.CONTENT_TYPE, "content-length", Integer.toString(body.length)));
            var opened = upstreams.open(loop, target, head, false, this);
            stream = opened;
            opened.data(Unpooled.wrappedBuffer(body), true);
        }

        void cancel() {
            if (stream != null) {
                stream.cancel(Reset.CANCELLED);
            }
        }

        @Override
        public void onHead(Response head, boolean last) {
            code = head.status();
            end(last);
        }

        @Override
        public void onData(ByteBuf chunk, boolean last) {
            chunk.release();
            end(last);
        }

        @Override
        public void onTrailers(Fields trailers) {
            end(true);
        }

        private void end(boolean last) {
            if (last) {
                stream = null;
                status.complete(code);
            }
        }

        @Override
        public void onFailure(Failure failure) {
            stream = null;
            status.completeExceptionally(new IOException(failure.reason()));
        }

        @Override
        public void onWritable() {}
    }
}
