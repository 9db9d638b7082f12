/// What an API server knows: authored documents of every kind that a dialect may understand, and pods and endpoints as
/// workloads, kept up to date by watching. Knows no kind of document beyond its head; decides nothing about traffic.
module dev.bodyguard.source.kubernetes {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.model;
    // The Kubernetes client has no module descriptors, so what it needs itself is required here.
    requires com.fasterxml.jackson.annotation;
    requires io.fabric8.kubernetes.client.jdkhttp;
    requires java.net.http;
    requires kubernetes.client;
    requires kubernetes.client.api;
    requires kubernetes.model.common;
    requires kubernetes.model.core;
    requires org.slf4j;
    requires tools.jackson.core;
    requires tools.jackson.databind;
    requires tools.jackson.dataformat.yaml;

    exports dev.bodyguard.source.kubernetes;
}
