package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Transport;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/// The plan in force, for people and `jq`: which hosts are known, where their clusters lead, what is asked inbound.
final class ConfigDump {
    private ConfigDump() {}

    static String of(Plan plan, Settings settings) {
        var to = new StringBuilder("{\"workload\":");
        Json.text(to, settings.workload());
        to.append(",\"service\":");
        Json.text(to, settings.service());
        to.append(",\"namespace\":");
        Json.text(to, settings.namespace());
        to.append(",\"unknownHosts\":");
        Json.text(to, plan.fallback().toString());
        to.append(",\"hosts\":[");
        list(to, List.copyOf(new TreeSet<>(plan.hosts())));
        to.append("],\"inbound\":[");
        var ports = new TreeSet<>(plan.inboundPorts());
        boolean first = true;
        for (int port : ports) {
            var rule = plan.inbound(port);
            if (rule != null) {
                to.append(first ? "" : ",").append("{\"port\":").append(port).append(",\"security\":");
                Json.text(to, rule.security().toString());
                to.append('}');
                first = false;
            }
        }
        to.append("],\"clusters\":[");
        first = true;
        for (var cluster : new TreeMap<>(plan.clusters()).values()) {
            to.append(first ? "\n" : ",\n").append("{\"name\":");
            Json.text(to, cluster.name());
            to.append(",\"rule\":");
            Json.text(to, cluster.origin());
            to.append(",\"retriesAllowed\":").append(cluster.budget().limit());
            to.append(",\"requestsUnderWay\":").append(cluster.budget().active());
            to.append(",\"panic\":").append(cluster.panics());
            to.append(",\"endpoints\":[");
            boolean firstEndpoint = true;
            for (var endpoint : cluster.endpoints()) {
                to.append(firstEndpoint ? "" : ",").append("{\"address\":");
                Json.text(to, endpoint.address());
                to.append(",\"workload\":");
                Json.text(to, endpoint.workload().name());
                to.append(",\"version\":");
                Json.text(to, endpoint.workload().version());
                to.append(",\"healthy\":").append(endpoint.healthy());
                to.append(",\"ejected\":");
                var ejection = endpoint.ejection();
                Json.text(to, ejection == null ? null : Ejected.sentence(ejection));
                to.append(",\"requestsUnderWay\":").append(endpoint.active());
                switch (endpoint.transport()) {
                    case Transport.Mtls mtls -> {
                        to.append(",\"transport\":\"mtls\",\"accepted\":[");
                        list(to, List.copyOf(new TreeSet<>(mtls.accepted())));
                        to.append(']');
                    }
                    case Transport.Plaintext(boolean http2) ->
                        to.append(",\"transport\":\"")
                                .append(http2 ? "h2c" : "http/1.1")
                                .append('"');
                }
                to.append('}');
                firstEndpoint = false;
            }
            to.append("]}");
            first = false;
        }
        return to.append("]}\n").toString();
    }

    private static void list(StringBuilder to, List<String> texts) {
        boolean first = true;
        for (var text : texts) {
            to.append(first ? "" : ",");
            Json.text(to, text);
            first = false;
        }
    }
}
