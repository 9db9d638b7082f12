package dev.bodyguard.xds.server;

import com.google.protobuf.StringValue;
import dev.bodyguard.xds.server.GrpcServer.Transport;
import dev.bodyguard.xds.server.Views.Refuse;
import dev.bodyguard.xds.server.Views.Serve;
import dev.bodyguard.xds.server.Views.View;
import dev.bodyguard.xds.snapshot.Heard;
import dev.bodyguard.xds.snapshot.Limits;
import dev.bodyguard.xds.snapshot.NamedResource;
import dev.bodyguard.xds.snapshot.Resources;
import dev.bodyguard.xds.snapshot.Snapshot;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;

/// A server of texts on a port of its own.
final class Served implements AutoCloseable, Events, Views {
    final LinkedBlockingQueue<String> happened = new LinkedBlockingQueue<>();
    final AggregatedDiscovery discovery;
    final GrpcServer server;
    private volatile Resources current;
    private volatile String refuse = "";

    Served(Transport transport, int port, String... resources) throws IOException {
        this(transport, port, Capacity.ordinary(), resources);
    }

    Served(Transport transport, int port, Capacity capacity, String... resources) throws IOException {
        discovery = new AggregatedDiscovery(this, this, Limits.ordinary(), capacity);
        current = generation(resources);
        server = GrpcServer.startPlaintext(transport, "127.0.0.1", port, List.of(discovery));
    }

    Served(Transport transport, ServerTls tls, String... resources) throws IOException {
        discovery = new AggregatedDiscovery(this, this);
        current = generation(resources);
        server = GrpcServer.start(GrpcServer.Carriage.by(transport), "127.0.0.1", 0, tls, List.of(discovery));
    }

    /// `name=text` each.
    void publish(String... resources) {
        current = generation(resources);
        discovery.publish();
    }

    void refuse(String why) {
        refuse = why;
        discovery.publish();
    }

    Supplier<ManagedChannel> channels() {
        return channels(server.port());
    }

    static Supplier<ManagedChannel> channels(int port) {
        return () ->
                NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    }

    String happened() throws InterruptedException {
        return Await.next("the next event", happened);
    }

    private static Snapshot generation(String... resources) {
        return Snapshot.of(
                String.join(" ", resources),
                Arrays.stream(resources)
                        .map(each -> each.split("=", 2))
                        .map(each -> NamedResource.of(each[0], StringValue.of(each[1])))
                        .toList());
    }

    @Override
    public View of(Node node, Peer peer) {
        return refuse.isEmpty() ? new Serve(current) : new Refuse(refuse);
    }

    @Override
    public void connected(Client client) {
        happened.add("connected " + client.node().getId() + client.peer().uris());
    }

    @Override
    public void disconnected(Client client, String why) {
        happened.add("disconnected " + client.node().getId());
    }

    @Override
    public void refused(Client client, String why) {
        happened.add("refused " + client.node().getId() + ": " + why);
    }

    @Override
    public void acked(Client client, Heard.Acked what) {
        happened.add("acked " + what.generation());
    }

    @Override
    public void nacked(Client client, Heard.Nacked what) {
        happened.add("nacked " + what.names() + " " + what.why());
    }

    @Override
    public void failed(Client client, Throwable cause) {
        happened.add("failed " + cause);
    }

    @Override
    public void close() {
        discovery.close();
        server.close();
    }
}
