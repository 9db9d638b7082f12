package dev.bodyguard.proxy.engine;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.google.protobuf.TypeRegistry;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.FilterConfig;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import java.nio.CharBuffer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Resources in protobuf's text form, and requests.
final class Given {
    private static final TextFormat.Parser PARSER = TextFormat.Parser.newBuilder()
            .setTypeRegistry(TypeRegistry.newBuilder()
                    .add(HttpConnectionManager.getDescriptor())
                    .add(TcpProxy.getDescriptor())
                    .add(UpstreamTlsContext.getDescriptor())
                    .add(DownstreamTlsContext.getDescriptor())
                    .add(HttpProtocolOptions.getDescriptor())
                    .add(HTTPFault.getDescriptor())
                    .add(FilterConfig.getDescriptor())
                    .add(RBAC.getDescriptor())
                    .add(LocalRateLimit.getDescriptor())
                    .add(Router.getDescriptor())
                    .build())
            .build();

    private Given() {}

    static Any parse(Message.Builder into, String text) {
        try {
            PARSER.merge(text, into);
        } catch (TextFormat.ParseException wrong) {
            throw new IllegalArgumentException(wrong);
        }
        return Any.pack(into.build());
    }

    static List<Rejected> host(Resources resources, String name, String text) {
        return resources.apply(
                Resources.VIRTUAL_HOST,
                Map.of(name, parse(VirtualHost.newBuilder(), "name: '" + name + "' domains: '*' " + text)),
                List.of());
    }

    static List<Rejected> cluster(Resources resources, String name, String text) {
        return resources.apply(
                Resources.CLUSTER,
                Map.of(name, parse(Cluster.newBuilder(), "name: '" + name + "' type: EDS " + text)),
                List.of());
    }

    static List<Rejected> endpoints(Resources resources, String name, String... endpoints) {
        return resources.apply(
                Resources.ASSIGNMENT,
                Map.of(
                        name,
                        parse(
                                ClusterLoadAssignment.newBuilder(),
                                "cluster_name: '" + name + "' endpoints { " + String.join(" ", endpoints) + " }")),
                List.of());
    }

    static String endpoint(int port, String more) {
        return "lb_endpoints { endpoint { address { socket_address { address: '10.0.0.1' port_value: " + port
                + " } } } " + more + " }";
    }

    static List<Rejected> listener(Resources resources, String name, String text) {
        return resources.apply(
                Resources.LISTENER,
                Map.of(name, parse(Listener.newBuilder(), "name: '" + name + "' " + text)),
                List.of());
    }

    static RequestHead get(String path, String... headers) {
        return request("GET", path, headers);
    }

    static RequestHead request(String method, String path, String... headers) {
        return new RequestHead() {
            @Override
            public String method() {
                return method;
            }

            @Override
            public String scheme() {
                return "http";
            }

            @Override
            public String authority() {
                return "pay:80";
            }

            @Override
            public String path() {
                return path;
            }

            @Override
            public @Nullable CharSequence header(String name) {
                for (int i = 0; i < headers.length; i += 2) {
                    if (headers[i].equals(name)) {
                        // Not a String, as the wire's are not.
                        return CharBuffer.wrap(headers[i + 1]);
                    }
                }
                return null;
            }
        };
    }
}
