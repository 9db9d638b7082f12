/// The identity service: who may have which certificate. Knows nothing of services, routes or proxies.
module dev.bodyguard.identity.service {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.identity.authority;
    requires transitive dev.bodyguard.identity.spiffe;
    requires dev.bodyguard.service;
    requires transitive dev.bodyguard.xds.protocol;
    requires dev.bodyguard.tracing;
    requires transitive io.opentelemetry.api;
    requires transitive micrometer.core;
    requires io.helidon.common.tls;
    requires io.helidon.webserver;
    requires io.helidon.webserver.grpc;
    requires io.helidon.webserver.http2;
    requires micrometer.registry.prometheus;
    // There where a cluster keeps the root. The Kubernetes client has no module descriptors, so what it needs itself is
    // required here.
    requires static com.fasterxml.jackson.annotation;
    requires static io.fabric8.kubernetes.client.jdkhttp;
    requires java.net.http;
    requires static kubernetes.client;
    requires static kubernetes.client.api;
    requires static kubernetes.model.admissionregistration;
    requires static kubernetes.model.common;
    requires static kubernetes.model.core;
    requires static org.slf4j;
    requires static tools.jackson.core;
    requires static tools.jackson.databind;
    requires static tools.jackson.dataformat.yaml;

    exports dev.bodyguard.identity.service;
}
