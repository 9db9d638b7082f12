/// The wire: Envoy's xDS v3 messages and gRPC services, and the mesh's own few for discovery and identity.
/// Generated from .proto files; nothing in here is written by hand but this list.
module dev.bodyguard.xds.protocol {
    requires transitive com.google.protobuf;
    requires transitive io.grpc;
    requires transitive io.grpc.stub;
    requires transitive io.grpc.protobuf;
    requires transitive proto.google.common.protos;
    requires com.google.common;

    exports dev.bodyguard.xds.protocol.discovery.v1;
    exports dev.bodyguard.xds.protocol.identity.v1;

    exports com.github.xds.core.v3;
    exports com.github.xds.data.orca.v3;
    exports com.github.xds.service.orca.v3;
    exports com.github.xds.type.matcher.v3;
    exports com.google.api.expr.v1alpha1;
    exports envoy.annotations;
    exports io.envoyproxy.envoy.config.accesslog.v3;
    exports io.envoyproxy.envoy.config.cluster.v3;
    exports io.envoyproxy.envoy.config.common.mutation_rules.v3;
    exports io.envoyproxy.envoy.config.core.v3;
    exports io.envoyproxy.envoy.config.endpoint.v3;
    exports io.envoyproxy.envoy.config.listener.v3;
    exports io.envoyproxy.envoy.config.ratelimit.v3;
    exports io.envoyproxy.envoy.config.rbac.v3;
    exports io.envoyproxy.envoy.config.route.v3;
    exports io.envoyproxy.envoy.config.trace.v3;
    exports io.envoyproxy.envoy.data.accesslog.v3;
    exports io.envoyproxy.envoy.extensions.common.ratelimit.v3;
    exports io.envoyproxy.envoy.extensions.filters.common.fault.v3;
    exports io.envoyproxy.envoy.extensions.filters.http.ext_authz.v3;
    exports io.envoyproxy.envoy.extensions.filters.http.fault.v3;
    exports io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3;
    exports io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3;
    exports io.envoyproxy.envoy.extensions.filters.http.ratelimit.v3;
    exports io.envoyproxy.envoy.extensions.filters.http.rbac.v3;
    exports io.envoyproxy.envoy.extensions.filters.http.router.v3;
    exports io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3;
    exports io.envoyproxy.envoy.extensions.filters.network.rbac.v3;
    exports io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3;
    exports io.envoyproxy.envoy.extensions.load_balancing_policies.common.v3;
    exports io.envoyproxy.envoy.extensions.load_balancing_policies.least_request.v3;
    exports io.envoyproxy.envoy.extensions.load_balancing_policies.ring_hash.v3;
    exports io.envoyproxy.envoy.extensions.load_balancing_policies.round_robin.v3;
    exports io.envoyproxy.envoy.extensions.load_balancing_policies.wrr_locality.v3;
    exports io.envoyproxy.envoy.extensions.transport_sockets.tls.v3;
    exports io.envoyproxy.envoy.extensions.upstreams.http.v3;
    exports io.envoyproxy.envoy.service.auth.v3;
    exports io.envoyproxy.envoy.service.discovery.v3;
    exports io.envoyproxy.envoy.service.load_stats.v3;
    exports io.envoyproxy.envoy.service.ratelimit.v3;
    exports io.envoyproxy.envoy.service.secret.v3;
    exports io.envoyproxy.envoy.type.http.v3;
    exports io.envoyproxy.envoy.type.matcher.v3;
    exports io.envoyproxy.envoy.type.metadata.v3;
    exports io.envoyproxy.envoy.type.tracing.v3;
    exports io.envoyproxy.envoy.type.v3;
    exports io.envoyproxy.pgv.validate;
    exports udpa.annotations;
    exports xds.annotations.v3;
}
