package dev.bodyguard.source.kubernetes;

import java.util.List;

/// A kind of object that is read.
///
/// @param versions of its group that are understood, the best first
record Kind(String group, String name, String plural, List<String> versions) {
    static final Kind PODS = new Kind("", "Pod", "pods", List.of("v1"));
    static final Kind SERVICES = new Kind("", "Service", "services", List.of("v1"));
    static final Kind SLICES = new Kind("discovery.k8s.io", "EndpointSlice", "endpointslices", List.of("v1"));
    static final Kind DEFINITIONS =
            new Kind("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", List.of("v1"));

    private static final String NETWORKING = "networking.istio.io";
    private static final String SECURITY = "security.istio.io";
    private static final String GATEWAY = "gateway.networking.k8s.io";
    private static final String LINKERD_POLICY = "policy.linkerd.io";
    private static final List<String> ISTIO = List.of("v1", "v1beta1", "v1alpha3");

    /// Those that are there once somebody has defined them. `accounts.yaml` of the chart lets discovery read the same,
    /// and write their status; whether there is one is said by who defines it.
    static final List<Kind> DEFINED = List.of(
            new Kind(NETWORKING, "VirtualService", "virtualservices", ISTIO),
            new Kind(NETWORKING, "DestinationRule", "destinationrules", ISTIO),
            new Kind(NETWORKING, "ServiceEntry", "serviceentries", ISTIO),
            new Kind(NETWORKING, "Sidecar", "sidecars", ISTIO),
            new Kind(NETWORKING, "WorkloadEntry", "workloadentries", ISTIO),
            new Kind(SECURITY, "AuthorizationPolicy", "authorizationpolicies", List.of("v1", "v1beta1")),
            new Kind(SECURITY, "PeerAuthentication", "peerauthentications", List.of("v1", "v1beta1")),
            new Kind(GATEWAY, "HTTPRoute", "httproutes", List.of("v1", "v1beta1")),
            new Kind(GATEWAY, "GRPCRoute", "grpcroutes", List.of("v1", "v1alpha2")),
            new Kind(GATEWAY, "ReferenceGrant", "referencegrants", List.of("v1", "v1beta1")),
            new Kind("linkerd.io", "ServiceProfile", "serviceprofiles", List.of("v1alpha2", "v1alpha1")),
            new Kind(
                    "split.smi-spec.io",
                    "TrafficSplit",
                    "trafficsplits",
                    List.of("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1")),
            new Kind(LINKERD_POLICY, "Server", "servers", List.of("v1beta3", "v1beta2", "v1beta1")),
            new Kind(LINKERD_POLICY, "HTTPLocalRateLimitPolicy", "httplocalratelimitpolicies", List.of("v1alpha1")),
            new Kind("bodyguard.dev", "RateLimit", "ratelimits", List.of("v1alpha1")));

    Kind {
        versions = List.copyOf(versions);
    }

    boolean isGateway() {
        return group.equals(GATEWAY);
    }

    /// `virtualservices.networking.istio.io`, which is also what its definition is called.
    String fullName() {
        return group.isEmpty() ? plural : plural + "." + group;
    }
}
