package dev.bodyguard.xds.compile;

import com.google.protobuf.Any;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt64Value;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.BackendPolicy.HashTable;
import dev.bodyguard.model.BackendPolicy.LoadBalancer;
import dev.bodyguard.model.BackendPolicy.Localities;
import dev.bodyguard.model.BackendPolicy.RetryBudget;
import dev.bodyguard.model.BackendPolicy.TlsMode;
import dev.bodyguard.model.BackendPolicy.TrafficPolicy;
import dev.bodyguard.model.HttpRule;
import dev.bodyguard.model.Locality;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.PeerAuthentication.Mode;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.Service.Backing;
import dev.bodyguard.telemetry.record.WorkloadName;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.core.v3.Http2ProtocolOptions;
import io.envoyproxy.envoy.config.core.v3.RoutingPriority;
import io.envoyproxy.envoy.config.core.v3.RuntimeDouble;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.Percent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Clusters and their endpoints: one per port of a service and subset of it.
final class Clusters {
    private static final java.time.Duration CONNECT = java.time.Duration.ofSeconds(10);

    /// Where an author asked for retries and said nothing of a budget.
    private static final RetryBudget ASKED_FOR = new RetryBudget(100, 3);

    private static final RetryBudget UNASKED = new RetryBudget(20, 3);

    private final Mesh mesh;
    private final Settings settings;
    // Destinations that some rule retries because its author said so, as host|subset, and what these retries share.
    private final Map<String, RetryBudget> retried = new HashMap<>();

    Clusters(Mesh mesh, Settings settings) {
        this.mesh = mesh;
        this.settings = settings;
        for (var routes : mesh.routesInForce()) {
            var said = routes.retryBudget();
            for (var rule : routes.rules()) {
                if (rule.retries() instanceof HttpRule.Retries.Explicit
                        && rule.action() instanceof HttpRule.Action.Forward(var destinations)) {
                    destinations.forEach(one -> retried.merge(
                            one.destination().host() + "|" + one.destination().subset(),
                            said == null ? ASKED_FOR : said,
                            Clusters::larger));
                }
            }
        }
    }

    private static RetryBudget larger(RetryBudget one, RetryBudget other) {
        return new RetryBudget(
                Math.max(one.percent(), other.percent()), Math.max(one.minConcurrency(), other.minConcurrency()));
    }

    static Cluster passthrough() {
        return Cluster.newBuilder()
                .setName(Resources.PASSTHROUGH)
                .setType(Cluster.DiscoveryType.ORIGINAL_DST)
                .setLbPolicy(Cluster.LbPolicy.CLUSTER_PROVIDED)
                .setConnectTimeout(Wire.duration(CONNECT))
                .build();
    }

    static Cluster inboundPassthrough() {
        return passthrough().toBuilder().setName(Resources.INBOUND_PASSTHROUGH).build();
    }

    static Cluster blackHole() {
        return Cluster.newBuilder()
                .setName(Resources.BLACK_HOLE)
                .setType(Cluster.DiscoveryType.STATIC)
                .setConnectTimeout(Wire.duration(CONNECT))
                .build();
    }

    Cluster inbound(Names.Inbound name) {
        return Cluster.newBuilder()
                .setName(name.toString())
                .setType(Cluster.DiscoveryType.STATIC)
                .setConnectTimeout(Wire.duration(CONNECT))
                .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                        .setClusterName(name.toString())
                        .addEndpoints(LocalityLbEndpoints.newBuilder()
                                .addLbEndpoints(LbEndpoint.newBuilder()
                                        .setEndpoint(Endpoint.newBuilder()
                                                .setAddress(Wire.address("127.0.0.1", name.appPort()))))))
                .build();
    }

    /// What a cluster's name stands for, if all of it exists.
    private Optional<Place> place(Names.Outbound name) {
        var service = mesh.destination(name.host());
        var port = service.flatMap(one -> one.port(name.port()));
        if (service.isEmpty() || port.isEmpty()) {
            return Optional.empty();
        }
        var policy = mesh.policy(name.host());
        if (name.subset().isEmpty()) {
            return Optional.of(new Place(
                    name,
                    service.get(),
                    port.get(),
                    Map.of(),
                    policy.flatMap(all -> all.at("", name.port())).orElse(TrafficPolicy.UNSAID),
                    policy.map(BackendPolicy::origin).orElse(service.get().origin())));
        }
        return policy.flatMap(all -> all.subset(name.subset())
                .map(subset -> new Place(
                        name,
                        service.get(),
                        port.get(),
                        subset.labels(),
                        all.at(name.subset(), name.port()).orElse(TrafficPolicy.UNSAID),
                        subset.origin())));
    }

    private record Place(
            Names.Outbound name,
            Service service,
            Service.Port port,
            Map<String, String> labels,
            TrafficPolicy policy,
            Origin origin) {}

    Optional<Cluster> outbound(Kind kind, Names.Outbound name) {
        return place(name).filter(place -> isKnownTo(kind, place)).map(place -> cluster(kind, place));
    }

    Optional<ClusterLoadAssignment> endpoints(Kind kind, Names.Outbound name) {
        return place(name).filter(place -> isDiscovered(place.service())).map(place -> assignment(kind, place));
    }

    // gRPC resolves one name per cluster, and goes nowhere on its own.
    private boolean isKnownTo(Kind kind, Place place) {
        return switch (kind) {
            case Kind.Sidecar _, Kind.Envoy _ -> true;
            case Kind.Grpc _ ->
                switch (place.service().backing()) {
                    case Backing.Registered _, Backing.Selected _, Backing.Listed _ -> true;
                    case Backing.Resolved _ -> instances(place).size() == 1;
                    case Backing.OriginalDestination _ -> false;
                };
        };
    }

    private List<Mesh.Instance> instances(Place place) {
        return mesh.instances(place.service(), place.port(), place.labels());
    }

    /// How many stand behind the service and are not of its subset, where nobody is: for whoever asks why.
    private int outside(Place place) {
        return place.labels().isEmpty() || !instances(place).isEmpty()
                ? 0
                : mesh.instances(place.service(), place.port(), Map.of()).size();
    }

    /// Whether somebody there must be spoken to in mutual TLS, or would be if there were anybody.
    private boolean isMeshed(Place place) {
        var service = place.service();
        if (isDiscovered(service) && isDemanded(place)) {
            return true;
        }
        var instances = instances(place);
        return instances.isEmpty()
                ? service.backing() instanceof Backing.Registered && !service.external()
                : instances.stream().anyMatch(this::isMeshed);
    }

    /// Whether an author wants nobody there to be spoken to in anything else.
    private static boolean isDemanded(Place place) {
        return place.policy().tls() == TlsMode.ISTIO_MUTUAL;
    }

    /// Whether it takes mutual TLS: it has a sidecar, which was not told to take none.
    private boolean isMeshed(Mesh.Instance instance) {
        var workload = instance.workload();
        return workload.meshed()
                && mesh.peerMode(workload.namespace(), workload.service(), workload.labels(), instance.appPort())
                                .orElse(settings.callers())
                        != Mode.DISABLE;
    }

    private static boolean isDiscovered(Service service) {
        return switch (service.backing()) {
            case Backing.Registered _, Backing.Selected _, Backing.Listed _ -> true;
            case Backing.Resolved _, Backing.OriginalDestination _ -> false;
        };
    }

    private Cluster cluster(Kind kind, Place place) {
        var policy = place.policy();
        var service = place.service();
        var facts = new TreeMap<>(Map.of(
                "origin", place.origin().toString(),
                "service", service.host(),
                "serviceName", service.name(),
                "serviceNamespace", service.namespace()));
        int outside = kind instanceof Kind.Sidecar ? outside(place) : 0;
        if (outside > 0) {
            facts.put("outsideSubset", String.valueOf(outside));
        }
        var cluster = Cluster.newBuilder()
                .setName(place.name().toString())
                .setConnectTimeout(Wire.duration(connectTimeout(policy)))
                .setMetadata(Wire.metadata(facts))
                .setCircuitBreakers(limits(place));
        switch (service.backing()) {
            case Backing.Registered _, Backing.Selected _, Backing.Listed _ ->
                cluster.setType(Cluster.DiscoveryType.EDS)
                        .setEdsClusterConfig(
                                Cluster.EdsClusterConfig.newBuilder().setEdsConfig(Wire.ads()));
            case Backing.Resolved _ -> cluster.setType(resolution(kind)).setLoadAssignment(assignment(kind, place));
            case Backing.OriginalDestination _ -> cluster.setType(Cluster.DiscoveryType.ORIGINAL_DST);
        }
        balance(cluster, kind, policy);
        // A ServiceEntry that says MESH_EXTERNAL, or nothing, may still select workloads with a sidecar; one that is
        // resolved by DNS says of each endpoint whether it has one.
        if ((isDiscovered(service) && !service.external()) || isMeshed(place)) {
            switch (kind) {
                case Kind.Sidecar _, Kind.Envoy _ -> {
                    cluster.addTransportSocketMatches(mutualTls(kind, place));
                    if (isDemanded(place)) {
                        cluster.setTransportSocket(mutualTls(kind, place).getTransportSocket());
                    } else {
                        cluster.addTransportSocketMatches(plaintext());
                    }
                }
                case Kind.Grpc _ -> {
                    if (isMeshed(place)) {
                        cluster.setTransportSocket(tls(byProvider(place)));
                    }
                }
            }
        }
        if (place.port().protocol().http2() || upgrades(policy) || (kind instanceof Kind.Envoy && isMeshed(place))) {
            cluster.putTypedExtensionProtocolOptions(
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    Wire.any(HttpProtocolOptions.newBuilder()
                            .setExplicitHttpConfig(HttpProtocolOptions.ExplicitHttpConfig.newBuilder()
                                    .setHttp2ProtocolOptions(Http2ProtocolOptions.getDefaultInstance()))
                            .build()));
        }
        var outliers = policy.outliers();
        if (outliers != null) {
            cluster.setOutlierDetection(outlierDetection(outliers)).setCommonLbConfig(panic(outliers));
        }
        if (policy.localities() instanceof Localities.Distributed) {
            cluster.getCommonLbConfigBuilder()
                    .setLocalityWeightedLbConfig(Cluster.CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance());
        }
        return cluster.build();
    }

    private static java.time.Duration connectTimeout(TrafficPolicy policy) {
        var connections = policy.connections();
        var said = connections == null ? null : connections.connectTimeout();
        return said == null ? CONNECT : said;
    }

    private static boolean upgrades(TrafficPolicy policy) {
        var connections = policy.connections();
        return connections != null && connections.upgradeToHttp2();
    }

    private static Cluster.DiscoveryType resolution(Kind kind) {
        return switch (kind) {
            case Kind.Sidecar _, Kind.Envoy _ -> Cluster.DiscoveryType.STRICT_DNS;
            case Kind.Grpc _ -> Cluster.DiscoveryType.LOGICAL_DNS;
        };
    }

    private static void balance(Cluster.Builder cluster, Kind kind, TrafficPolicy policy) {
        if (cluster.getType() == Cluster.DiscoveryType.ORIGINAL_DST) {
            cluster.setLbPolicy(Cluster.LbPolicy.CLUSTER_PROVIDED);
            return;
        }
        // gRPC refuses clusters with a policy that it does not have; this one every version has.
        if (kind instanceof Kind.Grpc) {
            cluster.setLbPolicy(Cluster.LbPolicy.ROUND_ROBIN);
            return;
        }
        switch (policy.loadBalancer()) {
            case null -> cluster.setLbPolicy(Cluster.LbPolicy.LEAST_REQUEST);
            case LoadBalancer.LeastRequest(var warmup) -> {
                cluster.setLbPolicy(Cluster.LbPolicy.LEAST_REQUEST);
                if (warmup != null) {
                    cluster.setLeastRequestLbConfig(
                            Cluster.LeastRequestLbConfig.newBuilder().setSlowStartConfig(slowStart(warmup)));
                }
            }
            case LoadBalancer.RoundRobin(var warmup) -> {
                cluster.setLbPolicy(Cluster.LbPolicy.ROUND_ROBIN);
                if (warmup != null) {
                    cluster.setRoundRobinLbConfig(
                            Cluster.RoundRobinLbConfig.newBuilder().setSlowStartConfig(slowStart(warmup)));
                }
            }
            case LoadBalancer.Random _ -> cluster.setLbPolicy(Cluster.LbPolicy.RANDOM);
            case LoadBalancer.ConsistentHash(var _, HashTable.Ring(long least)) ->
                cluster.setLbPolicy(Cluster.LbPolicy.RING_HASH)
                        .setRingHashLbConfig(
                                Cluster.RingHashLbConfig.newBuilder().setMinimumRingSize(UInt64Value.of(least)));
            case LoadBalancer.ConsistentHash(var _, HashTable.Maglev(long slots)) ->
                cluster.setLbPolicy(Cluster.LbPolicy.MAGLEV)
                        .setMaglevLbConfig(Cluster.MaglevLbConfig.newBuilder().setTableSize(UInt64Value.of(slots)));
        }
    }

    // Envoy wants a key to its runtime settings beside the number; nobody has this one there, so the number holds.
    private static Cluster.SlowStartConfig slowStart(BackendPolicy.Warmup warmup) {
        return Cluster.SlowStartConfig.newBuilder()
                .setSlowStartWindow(Wire.duration(warmup.time()))
                .setAggression(RuntimeDouble.newBuilder()
                        .setDefaultValue(warmup.aggression())
                        .setRuntimeKey("bodyguard.warmup.aggression"))
                .setMinWeightPercent(Percent.newBuilder().setValue(warmup.leastPercent()))
                .build();
    }

    // Envoy's own limit is 1024 each; an author who says nothing wants none.
    private CircuitBreakers limits(Place place) {
        var connections = place.policy().connections();
        var limits = CircuitBreakers.Thresholds.newBuilder()
                .setPriority(RoutingPriority.DEFAULT)
                .setMaxConnections(Wire.number(orNone(connections == null ? null : connections.maxConnections())))
                .setMaxPendingRequests(
                        Wire.number(orNone(connections == null ? null : connections.maxPendingRequests())))
                .setMaxRequests(Wire.number(orNone(connections == null ? null : connections.maxRequests())));
        var said = place.policy().retryBudget();
        var budget = said != null
                ? said
                : retried.getOrDefault(
                        place.service().host() + "|" + place.name().subset(), UNASKED);
        limits.setRetryBudget(CircuitBreakers.Thresholds.RetryBudget.newBuilder()
                .setBudgetPercent(Percent.newBuilder().setValue(budget.percent()))
                .setMinRetryConcurrency(Wire.number(budget.minConcurrency())));
        return CircuitBreakers.newBuilder().addThresholds(limits).build();
    }

    private static long orNone(@Nullable Long limit) {
        return limit == null ? 0xffffffffL : limit;
    }

    // Envoy's own is half of them, which few instances fall below; an author who says nothing wants none, as in Istio.
    private static Cluster.CommonLbConfig panic(BackendPolicy.OutlierDetection said) {
        double least =
                said.minHealthPercent() == null ? 0 : said.minHealthPercent().intValue();
        return Cluster.CommonLbConfig.newBuilder()
                .setHealthyPanicThreshold(Percent.newBuilder().setValue(least))
                .build();
    }

    private static OutlierDetection outlierDetection(BackendPolicy.OutlierDetection said) {
        var outliers = OutlierDetection.newBuilder()
                .setEnforcingSuccessRate(Wire.number(0))
                .setEnforcingLocalOriginSuccessRate(Wire.number(0))
                .setSplitExternalLocalOriginErrors(said.splitLocalOrigin());
        if (said.consecutive5xx() != null) {
            outliers.setConsecutive5Xx(Wire.number(said.consecutive5xx()));
            outliers.setEnforcingConsecutive5Xx(Wire.number(said.consecutive5xx() > 0 ? 100 : 0));
        }
        if (said.consecutiveGatewayErrors() != null) {
            outliers.setConsecutiveGatewayFailure(Wire.number(said.consecutiveGatewayErrors()));
            outliers.setEnforcingConsecutiveGatewayFailure(Wire.number(said.consecutiveGatewayErrors() > 0 ? 100 : 0));
        }
        if (said.consecutiveLocalOriginFailures() != null) {
            outliers.setConsecutiveLocalOriginFailure(Wire.number(said.consecutiveLocalOriginFailures()));
        }
        if (said.interval() != null) {
            outliers.setInterval(Wire.duration(said.interval()));
        }
        if (said.baseEjectionTime() != null) {
            outliers.setBaseEjectionTime(Wire.duration(said.baseEjectionTime()));
        }
        if (said.maxEjectionPercent() != null) {
            outliers.setMaxEjectionPercent(Wire.number(said.maxEjectionPercent()));
        }
        return outliers.build();
    }

    private Cluster.TransportSocketMatch mutualTls(Kind kind, Place place) {
        var sans = CertificateValidationContext.newBuilder();
        for (var identity : identities(place)) {
            sans.addMatchTypedSubjectAltNames(
                    Wire.uri(StringMatcher.newBuilder().setExact(identity).build()));
        }
        var name = place.name();
        var context = UpstreamTlsContext.newBuilder()
                .setSni("outbound_." + name.port() + "_." + name.subset() + "_." + name.host())
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .setTlsParams(Wire.tls13())
                        .addAlpnProtocols("h2")
                        .addTlsCertificateSdsSecretConfigs(Wire.secret(kind, "default"))
                        .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                                .setDefaultValidationContext(sans)
                                .setValidationContextSdsSecretConfig(Wire.secret(kind, "ROOTCA"))))
                .build();
        return Cluster.TransportSocketMatch.newBuilder()
                .setName("mtls")
                .setMatch(meshed())
                .setTransportSocket(tls(context))
                .build();
    }

    private static TransportSocket tls(UpstreamTlsContext context) {
        return TransportSocket.newBuilder()
                .setName("envoy.transport_sockets.tls")
                .setTypedConfig(Wire.any(context))
                .build();
    }

    /// gRPC's form: certificates by provider, and the older list of names, which is the one that gRPC checks.
    @SuppressWarnings("deprecation")
    private UpstreamTlsContext byProvider(Place place) {
        var peers = CertificateValidationContext.newBuilder()
                .setCaCertificateProviderInstance(CertificateProviderPluginInstance.newBuilder()
                        .setInstanceName("default")
                        .setCertificateName("ROOTCA"));
        identities(place)
                .forEach(id ->
                        peers.addMatchSubjectAltNames(StringMatcher.newBuilder().setExact(id)));
        return UpstreamTlsContext.newBuilder()
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .setTlsCertificateProviderInstance(CertificateProviderPluginInstance.newBuilder()
                                .setInstanceName("default")
                                .setCertificateName("default"))
                        .setValidationContext(peers))
                .build();
    }

    // Never empty: without a name to look for, a client would accept everybody.
    private Set<String> identities(Place place) {
        var identities = new TreeSet<>(place.service().subjectAltNames());
        for (var instance : instances(place)) {
            var workload = instance.workload();
            if (isMeshed(instance) && !workload.serviceAccount().isEmpty()) {
                identities.add("spiffe://" + principal(workload.namespace(), workload.serviceAccount()));
            }
        }
        if (identities.isEmpty()) {
            var service = place.service();
            identities.add("spiffe://" + principal(service.namespace(), service.name()));
        }
        return identities;
    }

    private String principal(String namespace, String serviceAccount) {
        return settings.trustDomain() + "/ns/" + namespace + "/sa/" + serviceAccount;
    }

    private static Cluster.TransportSocketMatch plaintext() {
        return Cluster.TransportSocketMatch.newBuilder()
                .setName("plaintext")
                .setMatch(Struct.getDefaultInstance())
                .setTransportSocket(
                        TransportSocket.newBuilder()
                                .setName("envoy.transport_sockets.raw_buffer")
                                .setTypedConfig(
                                        Any.newBuilder()
                                                .setTypeUrl(
                                                        "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer")))
                .build();
    }

    private static Struct meshed() {
        return Wire.struct(Map.of("tlsMode", "mtls"));
    }

    private ClusterLoadAssignment assignment(Kind kind, Place place) {
        var instances = instances(place).stream()
                .filter(one -> isSpokenTo(kind, place, one))
                .toList();
        var assignment =
                ClusterLoadAssignment.newBuilder().setClusterName(place.name().toString());
        if (instances.isEmpty()) {
            return assignment.build();
        }
        if (Nearness.matters(place.policy()) && !kind.where().equals(Locality.UNKNOWN)) {
            var there = new TreeMap<Locality, List<LbEndpoint>>();
            for (var instance : instances) {
                there.computeIfAbsent(Locality.of(instance.workload().labels()), _ -> new ArrayList<>())
                        .add(endpoint(instance));
            }
            Nearness.arrange(assignment, place.policy(), kind.where(), there);
            return assignment.build();
        }
        var locality = LocalityLbEndpoints.newBuilder();
        if (kind instanceof Kind.Grpc) {
            // gRPC passes over endpoints that are nowhere or weigh nothing.
            locality.setLocality(io.envoyproxy.envoy.config.core.v3.Locality.newBuilder()
                            .setRegion("mesh"))
                    .setLoadBalancingWeight(Wire.number(1));
        }
        for (var instance : instances) {
            locality.addLbEndpoints(endpoint(instance));
        }
        return assignment.addEndpoints(locality).build();
    }

    // Others than our sidecars speak one protocol per cluster: where some must be spoken to in mutual TLS, only those.
    private boolean isSpokenTo(Kind kind, Place place, Mesh.Instance instance) {
        return kind instanceof Kind.Sidecar || isMeshed(instance) || !isMeshed(place);
    }

    private LbEndpoint endpoint(Mesh.Instance instance) {
        var workload = instance.workload();
        var facts = new TreeMap<String, String>();
        facts.put("workload", WorkloadName.of(workload.name(), workload.labels()));
        facts.put("namespace", workload.namespace());
        facts.put("app", workload.labels().getOrDefault("app", ""));
        facts.put("version", workload.labels().getOrDefault("version", ""));
        facts.put("serviceAccount", workload.serviceAccount());
        if (!workload.serviceAccount().isEmpty()) {
            facts.put("principal", principal(workload.namespace(), workload.serviceAccount()));
        }
        var metadata = Wire.metadata(facts).toBuilder();
        if (isMeshed(instance)) {
            metadata.putFilterMetadata("envoy.transport_socket_match", meshed());
        }
        var endpoint = LbEndpoint.newBuilder()
                .setEndpoint(Endpoint.newBuilder().setAddress(Wire.address(instance.address(), instance.port())))
                .setMetadata(metadata);
        if (workload.weight() > 0) {
            endpoint.setLoadBalancingWeight(Wire.number(workload.weight()));
        }
        return endpoint.build();
    }
}
