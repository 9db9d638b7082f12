package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The smallest proxy there can be: every request goes to one target, and each direction is held back by its slower
/// side.
record Relay(Upstreams upstreams, Function<Request, Target> route, LinkedBlockingQueue<String> heard)
        implements RequestHandler {
    @Override
    public RequestListener begin(Exchange exchange) {
        heard.add(exchange.request() + " from " + exchange.connection().peerId() + " to "
                + exchange.connection().originalDestination());
        var answer = new Answer(exchange);
        var up = upstreams.open(
                exchange.loop(),
                route.apply(exchange.request()),
                exchange.request().copy(),
                exchange.bodyless(),
                answer);
        var rest = new Rest(exchange, up);
        answer.rest = rest;
        return rest;
    }

    private final class Rest implements RequestListener {
        private final Exchange down;
        private final UpstreamStream up;

        Rest(Exchange down, UpstreamStream up) {
            this.down = down;
            this.up = up;
        }

        @Override
        public void onData(ByteBuf chunk, boolean last) {
            up.data(chunk, last);
            if (!last && !up.isWritable()) {
                down.pause();
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            up.trailers(trailers);
        }

        @Override
        public void onReset(Reset reason) {
            heard.add("reset " + reason);
            up.cancel(reason);
        }

        @Override
        public void onWritable() {
            up.resume();
        }
    }

    private final class Answer implements ResponseListener {
        private final Exchange down;
        private @Nullable Rest rest;

        Answer(Exchange down) {
            this.down = down;
        }

        @Override
        public void onInterim(Response head) {
            down.interim(head);
        }

        @Override
        public void onHead(Response head, boolean last) {
            down.head(head, last);
        }

        @Override
        public void onData(ByteBuf chunk, boolean last) {
            down.data(chunk, last);
            if (!last && rest != null && !down.isWritable()) {
                rest.up.pause();
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            down.trailers(trailers);
        }

        @Override
        public void onFailure(Failure failure) {
            heard.add(failure.getClass().getSimpleName() + ": " + failure.reason());
            boolean answering = switch (failure) {
                case Failure.StreamReset ended -> ended.answering();
                case Failure.Closed ended -> ended.answering();
                case Failure.Malformed ended -> ended.answering();
                default -> false;
            };
            if (answering) {
                down.reset(Reset.INTERNAL);
            } else {
                var text = (failure.reason() + "\n").getBytes(StandardCharsets.UTF_8);
                down.head(Response.of(503, Fields.of("content-length", Integer.toString(text.length))), false);
                down.data(io.netty.buffer.Unpooled.wrappedBuffer(text), true);
            }
        }

        @Override
        public void onWritable() {
            down.resume();
        }
    }
}
