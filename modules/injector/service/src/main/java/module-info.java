/// The admission webhook: asks [dev.bodyguard.injector.decision] about each new pod, and tells the API server by which
/// certificate it is known. Knows nothing of what is in a sidecar.
module dev.bodyguard.injector.service {
    requires static transitive org.jspecify;
    requires dev.bodyguard.identity.client;
    requires transitive dev.bodyguard.identity.spiffe;
    requires transitive dev.bodyguard.injector.decision;
    requires dev.bodyguard.service;
    requires dev.bodyguard.tracing;
    requires io.helidon.common.tls;
    requires io.helidon.http;
    requires io.helidon.webserver;
    requires io.helidon.webserver.http2;
    requires io.opentelemetry.api;
    requires micrometer.core;
    requires micrometer.registry.prometheus;
    // The Kubernetes client has no module descriptors, so what it needs itself is required here.
    requires com.fasterxml.jackson.annotation;
    requires io.fabric8.kubernetes.client.jdkhttp;
    requires java.net.http;
    requires kubernetes.client;
    requires kubernetes.client.api;
    requires kubernetes.model.admissionregistration;
    requires kubernetes.model.common;
    requires kubernetes.model.core;
    requires org.slf4j;
    requires tools.jackson.core;
    requires tools.jackson.databind;
    requires tools.jackson.dataformat.yaml;

    exports dev.bodyguard.injector.service;
}
