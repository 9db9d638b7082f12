/// The identity service: who may have which certificate. Knows nothing of services, routes or proxies.
module dev.bodyguard.identity.service {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.identity.authority;
    requires transitive dev.bodyguard.identity.spiffe;
    requires dev.bodyguard.service;
    requires transitive dev.bodyguard.xds.protocol;
    requires transitive micrometer.core;
    requires io.helidon.common.tls;
    requires io.helidon.webserver;
    requires io.helidon.webserver.grpc;
    requires io.helidon.webserver.http2;
    requires micrometer.registry.prometheus;

    exports dev.bodyguard.identity.service;
}
