package dev.bodyguard.xds.compile;

import dev.bodyguard.model.BackendPolicy.HashKey;
import dev.bodyguard.model.BackendPolicy.LoadBalancer;
import dev.bodyguard.model.Mesh;
import io.envoyproxy.envoy.config.route.v3.RouteAction.HashPolicy;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What requests are hashed by, for destinations whose policy wants one key to keep to one instance. The
/// destination's policy says it and, in xDS, the route has it.
final class HashPolicies {
    private final Mesh mesh;

    HashPolicies(Mesh mesh) {
        this.mesh = mesh;
    }

    /// For a route that leads there: each key once. Those of them that do not hash pass over it.
    List<HashPolicy> of(Stream<Names.Outbound> destinations) {
        return destinations
                .flatMap(one -> key(one).stream())
                .distinct()
                .map(HashPolicies::policy)
                .toList();
    }

    /// Whether connections that carry no HTTP are hashed by where they come from, which is all that they have.
    boolean bySource(Names.Outbound destination) {
        return key(destination).equals(Optional.of(new HashKey.SourceAddress()));
    }

    private Optional<HashKey> key(Names.Outbound to) {
        return mesh.policy(to.host())
                .flatMap(policy -> policy.at(to.subset(), to.port()))
                .flatMap(policy -> policy.loadBalancer() instanceof LoadBalancer.ConsistentHash(var key, var _)
                        ? Optional.of(key)
                        : Optional.empty());
    }

    private static HashPolicy policy(HashKey key) {
        var policy = HashPolicy.newBuilder();
        switch (key) {
            case HashKey.Header(var name) ->
                policy.setHeader(HashPolicy.Header.newBuilder().setHeaderName(name));
            case HashKey.Cookie(var name, var given) -> {
                var cookie = HashPolicy.Cookie.newBuilder().setName(name);
                if (given != null) {
                    cookie.setTtl(Wire.duration(given.ttl())).setPath(given.path());
                    given.attributes()
                            .forEach(one -> cookie.addAttributes(HashPolicy.CookieAttribute.newBuilder()
                                    .setName(one.name())
                                    .setValue(one.value())));
                }
                policy.setCookie(cookie);
            }
            case HashKey.Query(var name) ->
                policy.setQueryParameter(HashPolicy.QueryParameter.newBuilder().setName(name));
            case HashKey.SourceAddress() ->
                policy.setConnectionProperties(
                        HashPolicy.ConnectionProperties.newBuilder().setSourceIp(true));
        }
        return policy.build();
    }
}
