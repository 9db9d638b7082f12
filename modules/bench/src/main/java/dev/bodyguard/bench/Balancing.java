package dev.bodyguard.bench;

import com.google.protobuf.Any;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Outcome;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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

/// Which endpoint an attempt goes to, of a hundred; a request begins there, is answered and ends.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Balancing {
    private static final String CLUSTER = "payments";
    private static final int ENDPOINTS = 100;
    private static final Outcome ANSWERED = new Outcome.Responded(200, -1);

    private final SplittableRandom random = new SplittableRandom(7);

    /// Set by JMH.
    @Param({"LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "RING_HASH", "MAGLEV"})
    public Cluster.LbPolicy policy = Cluster.LbPolicy.LEAST_REQUEST;

    /// Set by JMH: whether each endpoint weighs something else.
    @Param({"false", "true"})
    public boolean weighted;

    /// Set by JMH: whether failures are counted, and of how many endpoints one too many.
    @Param({"none", "0", "10"})
    public String ejected = "none";

    /// Set by JMH: whether all are new and count for a part of their weights, the first step of an hour.
    @Param("false")
    public boolean warming;

    /// Set by JMH: whether the first priority cannot take everything.
    @Param("false")
    public boolean spilling;

    private @Nullable ClusterPlan cluster;

    /// Compiles the cluster.
    @Setup
    public void compile() {
        var endpoints = LocalityLbEndpoints.newBuilder();
        var others = LocalityLbEndpoints.newBuilder().setPriority(1);
        for (int i = 0; i < ENDPOINTS; i++) {
            (spilling && i >= ENDPOINTS / 2 ? others : endpoints)
                    .addLbEndpoints(LbEndpoint.newBuilder()
                            .setHealthStatus(spilling && i % 2 == 0 ? HealthStatus.UNHEALTHY : HealthStatus.HEALTHY)
                            .setLoadBalancingWeight(UInt32Value.of(weighted ? 1 + i % 7 : 1))
                            .setEndpoint(io.envoyproxy.envoy.config.endpoint.v3.Endpoint.newBuilder()
                                    .setAddress(Address.newBuilder()
                                            .setSocketAddress(SocketAddress.newBuilder()
                                                    .setAddress("10.0.0." + i)
                                                    .setPortValue(8080)))));
        }
        var resources = new Resources(new Loads());
        var rejected = resources.apply(
                Resources.CLUSTER,
                Map.of(
                        CLUSTER,
                        Any.pack(detecting(Cluster.newBuilder()
                                        .setName(CLUSTER)
                                        .setType(Cluster.DiscoveryType.STATIC)
                                        .setLbPolicy(policy)
                                        .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                                                .setClusterName(CLUSTER)
                                                .addEndpoints(endpoints)
                                                .addEndpoints(others)))
                                .build())),
                List.of());
        cluster = resources.plan().cluster(CLUSTER);
        if (cluster == null || cluster.pick(List.of(), random, 0) == null) {
            throw new IllegalStateException("the cluster is not the one meant: " + rejected);
        }
        for (int i = 0; !ejected.equals("none") && i < Integer.parseInt(ejected); i++) {
            cluster.endpoints().get(i).heard(new Outcome.Responded(503, -1));
        }
    }

    private Cluster.Builder detecting(Cluster.Builder given) {
        if (warming) {
            var slowly = Cluster.SlowStartConfig.newBuilder()
                    .setSlowStartWindow(
                            com.google.protobuf.Duration.newBuilder().setSeconds(3_600));
            given.setLeastRequestLbConfig(
                            Cluster.LeastRequestLbConfig.newBuilder().setSlowStartConfig(slowly))
                    .setRoundRobinLbConfig(
                            Cluster.RoundRobinLbConfig.newBuilder().setSlowStartConfig(slowly));
        }
        return ejected.equals("none")
                ? given
                : given.setOutlierDetection(OutlierDetection.newBuilder()
                        .setConsecutive5Xx(UInt32Value.of(1))
                        .setBaseEjectionTime(
                                com.google.protobuf.Duration.newBuilder().setSeconds(3_600)));
    }

    /// One attempt.
    @Benchmark
    public Endpoint attempt() {
        var endpoint =
                Objects.requireNonNull(Objects.requireNonNull(cluster).pick(List.of(), random, random.nextLong()));
        endpoint.requestStarted();
        endpoint.connected();
        endpoint.heard(ANSWERED);
        endpoint.requestEnded();
        return endpoint;
    }
}
