package dev.bodyguard.xds.compile;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import dev.bodyguard.model.Origin;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.AggregatedConfigSource;
import io.envoyproxy.envoy.config.core.v3.ApiVersion;
import io.envoyproxy.envoy.config.core.v3.ConfigSource;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.PathConfigSource;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.TlsParameters;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Small pieces of which resources are made.
final class Wire {
    /// Our own key in a resource's metadata.
    static final String OURS = "dev.bodyguard";

    private Wire() {}

    static Metadata metadata(Origin origin) {
        return metadata(Map.of("origin", origin.toString()));
    }

    static Metadata metadata(Map<String, String> facts) {
        return Metadata.newBuilder().putFilterMetadata(OURS, struct(facts)).build();
    }

    static Struct struct(Map<String, String> facts) {
        var struct = Struct.newBuilder();
        new TreeMap<>(facts)
                .forEach((key, value) -> struct.putFields(
                        key, Value.newBuilder().setStringValue(value).build()));
        return struct.build();
    }

    static Duration duration(java.time.Duration duration) {
        return Duration.newBuilder()
                .setSeconds(duration.getSeconds())
                .setNanos(duration.getNano())
                .build();
    }

    static Duration millis(long millis) {
        return duration(java.time.Duration.ofMillis(millis));
    }

    static UInt32Value number(long value) {
        return UInt32Value.of((int) Math.min(value, 0xffffffffL));
    }

    static Address address(String address, int port) {
        return Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder().setAddress(address).setPortValue(port))
                .build();
    }

    static ConfigSource ads() {
        return ConfigSource.newBuilder()
                .setAds(AggregatedConfigSource.getDefaultInstance())
                .setResourceApiVersion(ApiVersion.V3)
                .build();
    }

    /// A secret's name, and where else than here it comes from: our sidecars hold their own, an Envoy reads a file or
    /// its bootstrap. Keys never travel by xDS.
    static SdsSecretConfig secret(Kind kind, String name) {
        var secret = SdsSecretConfig.newBuilder().setName(name);
        return switch (kind) {
            case Kind.Envoy envoy when envoy.secrets().isEmpty() -> secret.build();
            case Kind.Envoy envoy ->
                secret.setSdsConfig(ConfigSource.newBuilder()
                                .setPathConfigSource(PathConfigSource.newBuilder()
                                        .setPath(envoy.secrets() + "/sds-" + name.toLowerCase(Locale.ROOT) + ".yaml"))
                                .setResourceApiVersion(ApiVersion.V3))
                        .build();
            case Kind.Sidecar _, Kind.Grpc _ -> secret.setSdsConfig(ads()).build();
        };
    }

    static TlsParameters tls13() {
        return TlsParameters.newBuilder()
                .setTlsMinimumProtocolVersion(TlsParameters.TlsProtocol.TLSv1_3)
                .setTlsMaximumProtocolVersion(TlsParameters.TlsProtocol.TLSv1_3)
                .build();
    }

    static SubjectAltNameMatcher uri(StringMatcher matcher) {
        return SubjectAltNameMatcher.newBuilder()
                .setSanType(SubjectAltNameMatcher.SanType.URI)
                .setMatcher(matcher)
                .build();
    }

    /// An RE2 expression that matches nothing but this text.
    static String quoted(String text) {
        return text.replaceAll("[\\\\.+*?()|\\[\\]{}^$]", "\\\\$0");
    }

    /// The id of a service account.
    ///
    /// @param account `namespace/name`
    static String identity(String trustDomain, String account) {
        int slash = account.indexOf('/');
        return "spiffe://" + trustDomain + "/ns/" + account.substring(0, slash) + "/sa/" + account.substring(slash + 1);
    }

    static Any any(Message message) {
        return Any.pack(message);
    }
}
