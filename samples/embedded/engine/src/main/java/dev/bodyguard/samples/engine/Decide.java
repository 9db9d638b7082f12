package dev.bodyguard.samples.engine;

import com.google.protobuf.Any;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.RequestHead;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.util.List;
import java.util.Map;

/// `Decide PATH…`: where each request would go, by two routes as any xDS server would send them.
public final class Decide {
    private Decide() {}

    public static void main(String[] args) {
        var resources = new Resources(new Loads());
        var host = VirtualHost.newBuilder().setName("80/shop").addDomains("shop");
        host.addRoutes(route("/pay", "payments")).addRoutes(route("/", "website"));
        resources.apply(Resources.VIRTUAL_HOST, Map.of(host.getName(), Any.pack(host.build())), List.of());
        for (var name : List.of("payments", "website")) {
            var cluster = Cluster.newBuilder().setName(name).build();
            resources.apply(Resources.CLUSTER, Map.of(name, Any.pack(cluster)), List.of());
        }
        var plan = resources.plan();
        for (var path : args) {
            System.out.println(path + " -> " + plan.outbound(host.getName(), RequestHead.get("shop", path)));
        }
    }

    private static Route route(String prefix, String cluster) {
        var route = Route.newBuilder();
        route.getMatchBuilder().setPrefix(prefix);
        route.getRouteBuilder().setCluster(cluster);
        return route.build();
    }
}
