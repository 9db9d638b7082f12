package dev.bodyguard.samples.xds;

import dev.bodyguard.xds.server.AggregatedDiscovery;
import dev.bodyguard.xds.server.Events;
import dev.bodyguard.xds.server.GrpcServer;
import dev.bodyguard.xds.server.Views;
import dev.bodyguard.xds.snapshot.NamedResource;
import dev.bodyguard.xds.snapshot.Snapshot;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import java.io.IOException;
import java.util.List;

/// `Serve PORT CLUSTER…`: tells every xDS client of these clusters, by state of the world or by delta.
public final class Serve {
    private Serve() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        try (var server = serve(Integer.parseInt(args[0]), List.of(args).subList(1, args.length))) {
            System.out.println("serving on " + server.port());
            Thread.currentThread().join();
        }
    }

    static GrpcServer serve(int port, List<String> clusters) throws IOException {
        var resources = clusters.stream()
                .map(name -> NamedResource.of(
                        name, Cluster.newBuilder().setName(name).build()))
                .toList();
        var everything = new Views.Serve(Snapshot.of("1", resources));
        var discovery = new AggregatedDiscovery((_, _) -> everything, Events.none());
        return GrpcServer.startPlaintext(GrpcServer.Transport.NETTY, "127.0.0.1", port, List.of(discovery));
    }
}
