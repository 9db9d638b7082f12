package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;

/// What this sidecar says about itself: to config as an xDS node, to discovery as a workload.
record Node(Settings settings) {
    private static final String ADDRESS = "127.0.0.1";

    io.envoyproxy.envoy.config.core.v3.Node proto() {
        var labels = Struct.newBuilder();
        settings.labels().forEach((name, value) -> labels.putFields(name, text(value)));
        String namespace = settings.namespace();
        return io.envoyproxy.envoy.config.core.v3.Node.newBuilder()
                .setId("sidecar~" + ADDRESS + "~" + settings.workload() + "." + namespace + "~" + namespace
                        + ".svc.cluster.local")
                .setCluster(settings.service())
                .setMetadata(Struct.newBuilder()
                        .putFields("NAME", text(settings.workload()))
                        .putFields("NAMESPACE", text(namespace))
                        .putFields("SERVICE", text(settings.service()))
                        .putFields("SERVICE_ACCOUNT", text(settings.service()))
                        .putFields(
                                "LABELS",
                                Value.newBuilder().setStructValue(labels).build())
                        .putFields("APP_PORTS", text(Integer.toString(settings.appPort())))
                        .putFields("GENERATOR", text("bodyguard")))
                .build();
    }

    Workload workload(int inboundPort) {
        return Workload.newBuilder()
                .setNamespace(settings.namespace())
                .setName(settings.workload())
                .setService(settings.service())
                .setServiceAccount(settings.service())
                .putAllLabels(settings.labels())
                .setAddress(ADDRESS)
                .putPorts(settings.appPort(), inboundPort)
                .setMeshed(true)
                .build();
    }

    private static Value text(String value) {
        return Value.newBuilder().setStringValue(value).build();
    }
}
