package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import java.util.stream.Collectors;

/// What this sidecar says about itself: to config as an xDS node, to discovery as a workload.
record Node(Settings settings) {
    io.envoyproxy.envoy.config.core.v3.Node proto() {
        var labels = Struct.newBuilder();
        settings.labels().forEach((name, value) -> labels.putFields(name, text(value)));
        String namespace = settings.namespace();
        return io.envoyproxy.envoy.config.core.v3.Node.newBuilder()
                .setId("sidecar~" + settings.address() + "~" + settings.workload() + "." + namespace + "~" + namespace
                        + ".svc.cluster.local")
                .setCluster(settings.service())
                .setMetadata(Struct.newBuilder()
                        .putFields("NAME", text(settings.workload()))
                        .putFields("NAMESPACE", text(namespace))
                        .putFields("SERVICE", text(settings.service()))
                        .putFields("SERVICE_ACCOUNT", text(settings.serviceAccount()))
                        .putFields(
                                "LABELS",
                                Value.newBuilder().setStructValue(labels).build())
                        .putFields("APP_PORTS", text(appPorts()))
                        .putFields("INTERCEPTION_MODE", text(settings.interceptionMode()))
                        .putFields("GENERATOR", text("bodyguard")))
                .build();
    }

    private String appPorts() {
        return settings.appPorts().stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    Workload workload(int inboundPort) {
        return Workload.newBuilder()
                .setNamespace(settings.namespace())
                .setName(settings.workload())
                .setService(settings.service())
                .setServiceAccount(settings.serviceAccount())
                .putAllLabels(settings.labels())
                .setAddress(settings.address())
                .putAllPorts(settings.appPorts().stream().collect(Collectors.toMap(port -> port, _ -> inboundPort)))
                .setMeshed(true)
                .build();
    }

    private static Value text(String value) {
        return Value.newBuilder().setStringValue(value).build();
    }
}
