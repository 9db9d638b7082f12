package dev.bodyguard.xds.server;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.StringValue;
import dev.bodyguard.xds.client.AdsClient;
import dev.bodyguard.xds.client.Applied;
import dev.bodyguard.xds.client.Events;
import dev.bodyguard.xds.client.Sink;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// A client that writes down what it is told. Rejects resources whose text begins with "bad".
final class Followed implements AutoCloseable, Sink, Events {
    static final String TYPE = "type.googleapis.com/google.protobuf.StringValue";

    /// Like `a=1 b=2 -c`, sorted.
    final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();

    final LinkedBlockingQueue<String> happened = new LinkedBlockingQueue<>();
    /// Before each further attempt.
    final LinkedBlockingQueue<Duration> pauses = new LinkedBlockingQueue<>();

    final AdsClient client;

    Followed(String id, Supplier<ManagedChannel> channels) {
        client = new AdsClient(channels, Node.newBuilder().setId(id).build(), this, this);
        client.start();
    }

    String told() throws InterruptedException {
        return Await.next("the next batch", told);
    }

    /// The next event that is not yet another failed attempt.
    String happened(String beginning) throws InterruptedException {
        while (true) {
            var next = Await.next("'" + beginning + "'", happened);
            if (next.startsWith(beginning)) {
                return next;
            }
        }
    }

    @Override
    public Applied apply(String typeUrl, List<Resource> updated, List<String> removed) {
        var texts = new HashMap<String, String>();
        updated.forEach(resource -> texts.put(resource.getName(), text(resource)));
        var words = updated.stream()
                .map(resource -> resource.getName() + "=" + shortened(text(resource)))
                .sorted()
                .collect(Collectors.joining(" "));
        var gone = removed.stream().sorted().map(name -> "-" + name).collect(Collectors.joining(" "));
        told.add((words + " " + gone).strip());
        return new Applied(texts.entrySet().stream()
                .filter(entry -> entry.getValue().startsWith("bad"))
                .collect(Collectors.toMap(Map.Entry::getKey, _ -> "is bad")));
    }

    private static String shortened(String text) {
        return text.length() > 20 ? "(" + text.length() + ")" : text;
    }

    private static String text(Resource resource) {
        try {
            return resource.getResource().unpack(StringValue.class).getValue();
        } catch (InvalidProtocolBufferException unreadable) {
            throw new IllegalStateException(unreadable);
        }
    }

    @Override
    public void connected() {
        happened.add("connected");
    }

    @Override
    public void lost(String why, Duration retryIn) {
        pauses.add(retryIn);
        happened.add("lost: " + why);
    }

    @Override
    public void nacked(String typeUrl, Map<String, String> rejected) {
        happened.add("nacked: " + rejected);
    }

    @Override
    public void close() {
        client.close();
    }
}
