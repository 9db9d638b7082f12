package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Response;
import dev.bodyguard.proxy.wire.ResponseListener;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// What came back on one stream.
final class Http2Answer implements ResponseListener {
    private final CompletableFuture<@Nullable Void> complete = new CompletableFuture<>();
    private final StringBuilder text = new StringBuilder();
    private volatile int answered;
    private volatile Fields fields = new Fields();
    private volatile Fields trailers = new Fields();

    void await() {
        complete.orTimeout(30, TimeUnit.SECONDS).join();
    }

    int status() {
        return answered;
    }

    @Nullable
    String header(String name) {
        return fields.get(name);
    }

    @Nullable
    String trailer(String name) {
        return trailers.get(name);
    }

    String body() {
        return text.toString();
    }

    @Override
    public void onHead(Response head, boolean last) {
        answered = head.status();
        fields = head.fields();
        if (last) {
            complete.complete(null);
        }
    }

    @Override
    public void onData(ByteBuf chunk, boolean last) {
        text.append(chunk.toString(StandardCharsets.UTF_8));
        chunk.release();
        if (last) {
            complete.complete(null);
        }
    }

    @Override
    public void onTrailers(Fields last) {
        trailers = last;
        complete.complete(null);
    }

    @Override
    public void onFailure(Failure failure) {
        complete.completeExceptionally(new AssertionError(failure.toString()));
    }

    @Override
    public void onWritable() {}
}
