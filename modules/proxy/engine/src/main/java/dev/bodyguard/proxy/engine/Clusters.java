package dev.bodyguard.proxy.engine;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.RoutingPriority;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// `Cluster`s and `ClusterLoadAssignment`s, compiled.
final class Clusters {
    private static final String UPSTREAM_TLS =
            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    private static final String HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    private static final String SOCKET_MATCH = "envoy.transport_socket_match";
    private static final int LEAST_RING = 1_024;
    private static final int MOST_RING = 8_388_608;
    private static final int TABLE = 65_537;
    private static final int MOST_TABLE = 5_000_011;
    /// Envoy's, as is the bound of priorities.
    private static final int OVERPROVISIONED = 140;

    private static final int MOST_PRIORITY = 128;

    private Clusters() {}

    /// A cluster without its endpoints.
    ///
    /// @param assignment the name its endpoints are asked for by, null where it needs none
    /// @param inline its endpoints, where the cluster itself has them
    record Spec(
            String name,
            ClusterPlan.Service service,
            int outsideSubset,
            @Nullable String origin,
            ClusterPlan.Discovery discovery,
            Duration connectTimeout,
            Policy policy,
            int leastRing,
            int table,
            @Nullable SlowStart slowStart,
            @Nullable OutlierPolicy outliers,
            int panicBelow,
            boolean byLocality,
            double budgetPercent,
            int budgetMinimum,
            ClusterPlan.Limits limits,
            List<SocketMatch> sockets,
            @Nullable Transport otherwise,
            boolean http2,
            @Nullable String assignment,
            @Nullable Assignment inline) {
        ClusterPlan with(Assignment given, Loads loads) {
            Outliers state = outliers == null ? null : loads.outliers(name);
            var endpoints = new ArrayList<Endpoint>();
            var watched = new HashSet<Outliers.Member>();
            for (Place place : given.places()) {
                Watch watch = null;
                if (outliers != null && state != null) {
                    var whom = new Ejection.Whom(
                            name, service, place.address(), place.workload().name(), origin);
                    watch = new Watch(outliers, state, state.member(place.address()), whom);
                    watched.add(watch.member());
                }
                endpoints.add(new Endpoint(
                        place.host(),
                        place.port(),
                        place.weight(),
                        place.workload(),
                        transport(place),
                        place.healthy(),
                        loads.endpoint(name, place.host(), place.port()),
                        watch));
            }
            if (state != null) {
                state.keepOnly(watched);
            }
            return new ClusterPlan(
                    name,
                    service,
                    outsideSubset,
                    origin,
                    discovery,
                    connectTimeout,
                    endpoints,
                    new Choice(
                            levels(given, endpoints, loads),
                            new Choice.Terms(
                                    panicBelow,
                                    given.overprovisioned(),
                                    policy == Policy.RING_HASH || policy == Policy.MAGLEV),
                            state,
                            warming(endpoints, loads)),
                    new RetryBudget(budgetPercent, budgetMinimum, loads.budget(name)),
                    limits);
        }

        private @Nullable Warming warming(List<Endpoint> endpoints, Loads loads) {
            if (slowStart == null) {
                return null;
            }
            var ready = endpoints.stream().filter(Endpoint::healthy).toList();
            var arrivals = loads.arrivals(name);
            var since = arrivals.of(ready.stream().map(Endpoint::address).collect(Collectors.toSet()));
            return new Warming(
                    slowStart,
                    arrivals.clock(),
                    ready.stream().collect(Collectors.toMap(one -> one, one -> since.get(one.address()))));
        }

        /// By priority, and within it by locality where those have weights and the cluster heeds them.
        private List<Choice.Level> levels(Assignment given, List<Endpoint> endpoints, Loads loads) {
            boolean parted = byLocality && given.places().stream().anyMatch(place -> place.localityWeight() > 0);
            var all = new TreeMap<Integer, TreeMap<Integer, List<Integer>>>();
            for (int i = 0; i < endpoints.size(); i++) {
                Place place = given.places().get(i);
                // A locality without a weight gets nothing where others have one, as in Envoy.
                if (!parted || place.localityWeight() > 0) {
                    all.computeIfAbsent(place.priority(), _ -> new TreeMap<>())
                            .computeIfAbsent(parted ? place.locality() : 0, _ -> new ArrayList<>())
                            .add(i);
                }
            }
            var levels = new ArrayList<Choice.Level>();
            for (var groups : all.values()) {
                levels.add(new Choice.Level(groups.values().stream()
                        .map(some -> group(given, endpoints, some, parted, loads))
                        .toList()));
            }
            return levels;
        }

        private Choice.Group group(
                Assignment given, List<Endpoint> endpoints, List<Integer> some, boolean parted, Loads loads) {
            var ready =
                    some.stream().map(endpoints::get).filter(Endpoint::healthy).toList();
            int weight = parted ? given.places().get(some.getFirst()).localityWeight() : 1;
            return new Choice.Group(ready, some.size(), weight, balancer(ready.toArray(Endpoint[]::new), loads));
        }

        private Balancer balancer(Endpoint[] ready, Loads loads) {
            return switch (policy) {
                case LEAST_REQUEST -> new Balancer.LeastRequest(ready);
                case ROUND_ROBIN -> new Balancer.RoundRobin(ready, loads.turn(name));
                case CHANCE -> new Balancer.Chance(ready);
                case RING_HASH -> new Balancer.RingHash(ready, leastRing);
                case MAGLEV -> new Balancer.Maglev(ready, table);
            };
        }

        private Transport transport(Place place) {
            for (SocketMatch socket : sockets) {
                if (place.labels().entrySet().containsAll(socket.labels().entrySet())) {
                    return socket.transport();
                }
            }
            return otherwise == null ? new Transport.Plaintext(http2) : otherwise;
        }
    }

    enum Policy {
        LEAST_REQUEST,
        ROUND_ROBIN,
        CHANCE,
        RING_HASH,
        MAGLEV
    }

    record SocketMatch(Map<String, String> labels, Transport transport) {}

    /// Where a cluster's endpoints are.
    ///
    /// @param overprovisioned percent that a priority could take if all of its endpoints were left
    record Assignment(List<Place> places, int overprovisioned) {
        static final Assignment EMPTY = new Assignment(List.of(), OVERPROVISIONED);

        Assignment {
            places = List.copyOf(places);
        }
    }

    /// @param locality its number among the localities
    /// @param localityWeight 0 where the locality has none
    /// @param labels what transport sockets are matched by
    record Place(
            String host,
            int port,
            int weight,
            int priority,
            int locality,
            int localityWeight,
            boolean healthy,
            Endpoint.Workload workload,
            Map<String, String> labels) {
        String address() {
            return host + ":" + port;
        }
    }

    static Spec compile(Cluster cluster) throws Invalid {
        ClusterPlan.Discovery discovery = switch (cluster.getType()) {
            case EDS, STATIC -> ClusterPlan.Discovery.GIVEN;
            case STRICT_DNS, LOGICAL_DNS -> ClusterPlan.Discovery.DNS;
            case ORIGINAL_DST -> ClusterPlan.Discovery.ORIGINAL_DESTINATION;
            case UNRECOGNIZED -> throw new Invalid("type", "must be a known one, was " + cluster.getTypeValue());
        };
        Matching.unsupported(cluster.hasClusterType(), "cluster_type");
        boolean eds = cluster.getType() == Cluster.DiscoveryType.EDS;
        String assignment = null;
        Assignment inline = null;
        if (eds) {
            String service = cluster.getEdsClusterConfig().getServiceName();
            assignment = service.isEmpty() ? cluster.getName() : service;
        } else {
            inline = compile(cluster.getLoadAssignment(), "load_assignment.");
        }
        boolean http2 = http2(cluster);
        var sockets = new ArrayList<SocketMatch>();
        for (int i = 0; i < cluster.getTransportSocketMatchesCount(); i++) {
            var match = cluster.getTransportSocketMatches(i);
            sockets.add(new SocketMatch(
                    labels(match.getMatch()),
                    transport(match.getTransportSocket(), http2, "transport_socket_matches[" + i + "]")));
        }
        CircuitBreakers.Thresholds thresholds = CircuitBreakers.Thresholds.getDefaultInstance();
        for (CircuitBreakers.Thresholds given : cluster.getCircuitBreakers().getThresholdsList()) {
            if (given.getPriority() == RoutingPriority.DEFAULT) {
                thresholds = given;
                break;
            }
        }
        // Envoy: a budget replaces max_retries, whose default is 3 at one time.
        double percent = 0;
        int minimum =
                thresholds.hasMaxRetries() ? limit(thresholds.getMaxRetries().getValue()) : 3;
        if (thresholds.hasRetryBudget()) {
            var budget = thresholds.getRetryBudget();
            percent = budget.hasBudgetPercent() ? budget.getBudgetPercent().getValue() : 20;
            minimum = budget.hasMinRetryConcurrency()
                    ? limit(budget.getMinRetryConcurrency().getValue())
                    : 3;
            if (!(percent >= 0 && percent <= 100)) {
                throw new Invalid(
                        "circuit_breakers.thresholds.retry_budget.budget_percent", "must be 0 to 100, was " + percent);
            }
        }
        int leastRing = LEAST_RING;
        if (cluster.getRingHashLbConfig().hasMinimumRingSize()) {
            long asked = cluster.getRingHashLbConfig().getMinimumRingSize().getValue();
            if (asked < 1 || asked > MOST_RING) {
                throw new Invalid(
                        "ring_hash_lb_config.minimum_ring_size",
                        "must be 1 to " + MOST_RING + ", was " + Long.toUnsignedString(asked));
            }
            leastRing = (int) asked;
        }
        return new Spec(
                cluster.getName(),
                new ClusterPlan.Service(
                        Metadata.text(cluster.getMetadata(), "service"),
                        Metadata.text(cluster.getMetadata(), "serviceName"),
                        Metadata.text(cluster.getMetadata(), "serviceNamespace")),
                number(Metadata.text(cluster.getMetadata(), "outsideSubset")),
                Metadata.origin(cluster.getMetadata()),
                discovery,
                cluster.hasConnectTimeout()
                        ? Hosts.duration(cluster.getConnectTimeout(), "connect_timeout")
                        : Duration.ofSeconds(5),
                policy(cluster),
                leastRing,
                table(cluster),
                slowStart(cluster),
                cluster.hasOutlierDetection() ? OutlierPolicy.compile(cluster.getOutlierDetection()) : null,
                panicBelow(cluster),
                cluster.getCommonLbConfig().hasLocalityWeightedLbConfig(),
                percent,
                minimum,
                new ClusterPlan.Limits(
                        thresholds.hasMaxConnections()
                                ? limit(thresholds.getMaxConnections().getValue())
                                : Integer.MAX_VALUE,
                        thresholds.hasMaxPendingRequests()
                                ? limit(thresholds.getMaxPendingRequests().getValue())
                                : Integer.MAX_VALUE,
                        thresholds.hasMaxRequests()
                                ? limit(thresholds.getMaxRequests().getValue())
                                : Integer.MAX_VALUE),
                List.copyOf(sockets),
                cluster.hasTransportSocket()
                        ? transport(cluster.getTransportSocket(), http2, "transport_socket")
                        : null,
                http2,
                assignment,
                inline);
    }

    private static @Nullable SlowStart slowStart(Cluster cluster) throws Invalid {
        return switch (policy(cluster)) {
            case LEAST_REQUEST ->
                cluster.getLeastRequestLbConfig().hasSlowStartConfig()
                        ? SlowStart.compile(
                                cluster.getLeastRequestLbConfig().getSlowStartConfig(),
                                "least_request_lb_config.slow_start_config")
                        : null;
            case ROUND_ROBIN ->
                cluster.getRoundRobinLbConfig().hasSlowStartConfig()
                        ? SlowStart.compile(
                                cluster.getRoundRobinLbConfig().getSlowStartConfig(),
                                "round_robin_lb_config.slow_start_config")
                        : null;
            case CHANCE, RING_HASH, MAGLEV -> null;
        };
    }

    private static int table(Cluster cluster) throws Invalid {
        if (!cluster.getMaglevLbConfig().hasTableSize()) {
            return TABLE;
        }
        long size = cluster.getMaglevLbConfig().getTableSize().getValue();
        if (size < 2 || size > MOST_TABLE || !BigInteger.valueOf(size).isProbablePrime(50)) {
            throw new Invalid(
                    "maglev_lb_config.table_size",
                    "must be a prime of " + MOST_TABLE + " or less, was " + Long.toUnsignedString(size));
        }
        return (int) size;
    }

    /// Envoy: half of them, in whole percents.
    private static int panicBelow(Cluster cluster) throws Invalid {
        if (!cluster.getCommonLbConfig().hasHealthyPanicThreshold()) {
            return 50;
        }
        double percent = cluster.getCommonLbConfig().getHealthyPanicThreshold().getValue();
        if (!(percent >= 0 && percent <= 100)) {
            throw new Invalid("common_lb_config.healthy_panic_threshold", "must be 0 to 100, was " + percent);
        }
        return (int) Math.round(percent);
    }

    /// 0 where there is none.
    private static int number(String text) {
        return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : 0;
    }

    /// A limit above what an int holds is none.
    private static int limit(int unsigned) {
        return unsigned < 0 ? Integer.MAX_VALUE : unsigned;
    }

    private static Policy policy(Cluster cluster) throws Invalid {
        for (var policy : cluster.getLoadBalancingPolicy().getPoliciesList()) {
            String type = policy.getTypedExtensionConfig().getTypedConfig().getTypeUrl();
            // The first that is known, as xDS has it.
            if (type.endsWith(".LeastRequest")) {
                return Policy.LEAST_REQUEST;
            } else if (type.endsWith(".RoundRobin")) {
                return Policy.ROUND_ROBIN;
            } else if (type.endsWith(".Random")) {
                return Policy.CHANCE;
            } else if (type.endsWith(".RingHash")) {
                return Policy.RING_HASH;
            } else if (type.endsWith(".Maglev")) {
                return Policy.MAGLEV;
            }
        }
        if (cluster.getLoadBalancingPolicy().getPoliciesCount() > 0) {
            throw new Invalid(
                    "load_balancing_policy", "must name LeastRequest, RoundRobin, Random, RingHash or Maglev");
        }
        return switch (cluster.getLbPolicy()) {
            case LEAST_REQUEST -> Policy.LEAST_REQUEST;
            case ROUND_ROBIN -> Policy.ROUND_ROBIN;
            case RANDOM -> Policy.CHANCE;
            case RING_HASH -> Policy.RING_HASH;
            case MAGLEV -> Policy.MAGLEV;
            // Only for clusters without endpoints to choose from.
            case CLUSTER_PROVIDED -> Policy.CHANCE;
            case LOAD_BALANCING_POLICY_CONFIG, UNRECOGNIZED ->
                throw new Invalid("lb_policy", "must be a known one, was " + cluster.getLbPolicyValue());
        };
    }

    private static boolean http2(Cluster cluster) throws Invalid {
        Any options = cluster.getTypedExtensionProtocolOptionsMap().get(HTTP_OPTIONS);
        if (options == null) {
            return false;
        }
        try {
            return HttpProtocolOptions.parseFrom(options.getValue())
                    .getExplicitHttpConfig()
                    .hasHttp2ProtocolOptions();
        } catch (InvalidProtocolBufferException broken) {
            throw new Invalid(
                    "typed_extension_protocol_options[" + HTTP_OPTIONS + "]", "cannot be read: " + broken.getMessage());
        }
    }

    private static Transport transport(TransportSocket socket, boolean http2, String field) throws Invalid {
        String type = socket.getTypedConfig().getTypeUrl();
        if (type.equals(UPSTREAM_TLS)) {
            try {
                return mtls(UpstreamTlsContext.parseFrom(socket.getTypedConfig().getValue()), field);
            } catch (InvalidProtocolBufferException broken) {
                throw new Invalid(field, "cannot be read: " + broken.getMessage());
            }
        }
        if (type.endsWith(".RawBuffer") || (type.isEmpty() && socket.getName().endsWith("raw_buffer"))) {
            return new Transport.Plaintext(http2);
        }
        throw new Invalid(field, "must be an UpstreamTlsContext or raw_buffer, was " + socket.getName() + " " + type);
    }

    private static Transport.Mtls mtls(UpstreamTlsContext tls, String field) throws Invalid {
        CommonTlsContext common = tls.getCommonTlsContext();
        if (common.getTlsCertificateSdsSecretConfigsCount() == 0) {
            throw new Invalid(
                    field + ".common_tls_context.tls_certificate_sds_secret_configs",
                    "must name our own identity; TLS without it is not supported");
        }
        CertificateValidationContext validation = common.hasCombinedValidationContext()
                ? common.getCombinedValidationContext().getDefaultValidationContext()
                : common.getValidationContext();
        var accepted = new HashSet<String>();
        for (SubjectAltNameMatcher san : validation.getMatchTypedSubjectAltNamesList()) {
            if (san.getSanType() != SubjectAltNameMatcher.SanType.URI
                    || san.getMatcher().getMatchPatternCase() != StringMatcher.MatchPatternCase.EXACT) {
                throw new Invalid(
                        field + ".match_typed_subject_alt_names",
                        "must be exact URIs, was " + san.getSanType() + " "
                                + san.getMatcher().getMatchPatternCase());
            }
            accepted.add(san.getMatcher().getExact());
        }
        return new Transport.Mtls(accepted, tls.getSni(), List.copyOf(common.getAlpnProtocolsList()));
    }

    static Assignment compile(ClusterLoadAssignment assignment, String at) throws Invalid {
        var places = new ArrayList<Place>();
        for (int i = 0; i < assignment.getEndpointsCount(); i++) {
            var locality = assignment.getEndpoints(i);
            String in = at + "endpoints[" + i + "]";
            int weight = locality.hasLoadBalancingWeight()
                    ? Matching.number(locality.getLoadBalancingWeight(), in + ".load_balancing_weight")
                    : 0;
            if (locality.getPriority() < 0 || locality.getPriority() > MOST_PRIORITY) {
                throw new Invalid(
                        in + ".priority",
                        "must be 0 to " + MOST_PRIORITY + ", was " + Integer.toUnsignedString(locality.getPriority()));
            }
            for (int j = 0; j < locality.getLbEndpointsCount(); j++) {
                String field = in + ".lb_endpoints[" + j + "]";
                places.add(place(locality.getLbEndpoints(j), locality.getPriority(), i, weight, field));
            }
        }
        int overprovisioned = OVERPROVISIONED;
        if (assignment.getPolicy().hasOverprovisioningFactor()) {
            overprovisioned = Matching.number(
                    assignment.getPolicy().getOverprovisioningFactor(), at + "policy.overprovisioning_factor");
            if (overprovisioned < 1) {
                throw new Invalid(at + "policy.overprovisioning_factor", "must be 1 or more, was 0");
            }
        }
        long total = 0;
        for (Place place : places) {
            total += place.weight();
        }
        if (total > Integer.MAX_VALUE) {
            throw new Invalid(
                    at + "endpoints", "weights must add up to " + Integer.MAX_VALUE + " or less, was " + total);
        }
        return new Assignment(places, overprovisioned);
    }

    private static Place place(LbEndpoint endpoint, int priority, int locality, int localityWeight, String field)
            throws Invalid {
        if (!endpoint.getEndpoint().getAddress().hasSocketAddress()) {
            throw new Invalid(field + ".endpoint.address", "must be a socket_address");
        }
        var address = endpoint.getEndpoint().getAddress().getSocketAddress();
        int port = address.getPortValue();
        if (port < 1 || port > 65_535) {
            throw new Invalid(
                    field + ".endpoint.address.socket_address.port_value",
                    "must be 1 to 65535, was " + Integer.toUnsignedString(port));
        }
        if (address.getAddress().isEmpty()) {
            throw new Invalid(field + ".endpoint.address.socket_address.address", "must not be empty");
        }
        int weight = 1;
        if (endpoint.hasLoadBalancingWeight()) {
            weight = Matching.number(endpoint.getLoadBalancingWeight(), field + ".load_balancing_weight");
            if (weight == 0) {
                throw new Invalid(field + ".load_balancing_weight", "must be 1 or more, was 0");
            }
        }
        var metadata = endpoint.getMetadata();
        boolean healthy = switch (endpoint.getHealthStatus()) {
            case UNKNOWN, HEALTHY, DEGRADED -> true;
            case UNHEALTHY, DRAINING, TIMEOUT, UNRECOGNIZED -> false;
        };
        return new Place(
                address.getAddress(),
                port,
                weight,
                priority,
                locality,
                localityWeight,
                healthy,
                new Endpoint.Workload(
                        Metadata.text(metadata, "workload"),
                        Metadata.text(metadata, "namespace"),
                        Metadata.text(metadata, "app"),
                        Metadata.text(metadata, "version"),
                        Metadata.text(metadata, "serviceAccount"),
                        Metadata.text(metadata, "principal")),
                labels(metadata.getFilterMetadataMap().getOrDefault(SOCKET_MATCH, Struct.getDefaultInstance())));
    }

    private static Map<String, String> labels(Struct struct) {
        var labels = new HashMap<String, String>();
        struct.getFieldsMap().forEach((key, value) -> labels.put(key, value.getStringValue()));
        return Map.copyOf(labels);
    }
}
