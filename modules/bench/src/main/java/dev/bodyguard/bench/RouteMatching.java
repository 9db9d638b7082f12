package dev.bodyguard.bench;

import com.google.protobuf.Any;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.proxy.engine.Routing;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Which rule a request meets, in a plan of 10,000 routes to 1,000 clusters. Requests are drawn from all of them alike.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RouteMatching {
    private static final int ROUTES = 10_000;
    private static final int CLUSTERS = 1_000;
    private static final int REQUESTS = 4_096;

    /// How the routes lie.
    public enum Shape {
        /// A mesh of 1,000 services with ten prefixes each.
        SERVICES(10, "/api/v%d/", true),
        /// One host with 10,000 prefixes.
        PREFIXES(ROUTES, "/tenant-%d/", true),
        /// One host with 10,000 whole paths.
        PATHS(ROUTES, "/tenant-%d/orders", false);

        private final int each;
        private final String path;
        private final boolean prefix;

        Shape(int each, String path, boolean prefix) {
            this.each = each;
            this.path = path;
            this.prefix = prefix;
        }
    }

    /// Set by JMH.
    @Param
    public Shape shape = Shape.SERVICES;

    private Plan plan = Plan.EMPTY;
    private Get[] requests = {};
    private int next;

    /// Compiles the plan.
    @Setup
    public void compile() {
        var resources = new Resources(new Loads());
        var clusters = new HashMap<String, Any>();
        for (int i = 0; i < CLUSTERS; i++) {
            var cluster = Cluster.newBuilder().setName(cluster(i)).setType(Cluster.DiscoveryType.STATIC);
            clusters.put(cluster(i), Any.pack(cluster.build()));
        }
        resources.apply(Resources.CLUSTER, clusters, List.of());
        var hosts = new HashMap<String, Any>();
        for (int i = 0; i < ROUTES / shape.each; i++) {
            hosts.put(host(i), Any.pack(routes(i)));
        }
        resources.apply(Resources.VIRTUAL_HOST, hosts, List.of());
        plan = resources.plan();
        var random = new Random(7);
        requests = new Get[REQUESTS];
        for (int i = 0; i < REQUESTS; i++) {
            var path = shape.path.formatted(random.nextInt(shape.each));
            requests[i] = new Get(host(random.nextInt(ROUTES / shape.each)), shape.prefix ? path + "orders/17" : path);
            if (!(plan.outbound(requests[i].key(), requests[i]) instanceof Routing.Routed(var rule))
                    || !path.equals(rule.name())) {
                throw new IllegalStateException("the plan is not the one meant: " + requests[i]);
            }
        }
    }

    private VirtualHost routes(int number) {
        var host = VirtualHost.newBuilder().setName(host(number)).addDomains(host(number));
        for (int i = 0; i < shape.each; i++) {
            var path = shape.path.formatted(i);
            host.addRoutes(Route.newBuilder()
                    .setName(path)
                    .setMatch(
                            shape.prefix
                                    ? RouteMatch.newBuilder().setPrefix(path)
                                    : RouteMatch.newBuilder().setPath(path))
                    .setRoute(RouteAction.newBuilder().setCluster(cluster(number * shape.each + i))));
        }
        return host.build();
    }

    private static String cluster(int number) {
        return "cluster-" + number % CLUSTERS;
    }

    private static String host(int number) {
        return "80/service-" + number + ".default.svc.cluster.local";
    }

    /// One request.
    @Benchmark
    public Routing lookup() {
        var request = requests[next++ & (REQUESTS - 1)];
        return plan.outbound(request.key(), request);
    }
}
