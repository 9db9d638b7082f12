package dev.bodyguard.cli;

import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One app of the demo and the sidecar beside it.
record Workload(String service, String version, String name, int app, int inbound, int outbound, int admin) {
    /// Within what a supervisor waits for it.
    private static final String DRAIN_TIME = "5s";

    static Workload of(String service, String version, String name, Ports ports) {
        return new Workload(service, version, name, ports.next(), ports.next(), ports.next(), ports.next());
    }

    String sidecar() {
        return name + ".sidecar";
    }

    URI adminUrl(String path) {
        return URI.create("http://" + address(admin) + path);
    }

    URI appUrl(String path) {
        return URI.create("http://" + address(app) + path);
    }

    static String address(int port) {
        return "127.0.0.1:" + port;
    }

    /// What an unmodified app needs to call through its sidecar.
    Map<String, String> environment() {
        var proxy = "http://" + address(outbound);
        return Map.of("HTTP_PROXY", proxy, "HTTPS_PROXY", proxy, "http_proxy", proxy, "https_proxy", proxy);
    }

    /// @param traceSampling in percent
    List<String> sidecarArguments(String state, String traceSampling) {
        return List.of(
                "--service",
                service,
                "--version",
                version,
                "--name",
                name,
                "--app-port",
                Integer.toString(app),
                "--state",
                state,
                "--inbound-port",
                Integer.toString(inbound),
                "--outbound-port",
                Integer.toString(outbound),
                "--admin-port",
                Integer.toString(admin),
                "--drain-time",
                DRAIN_TIME,
                "--trace-sampling",
                traceSampling);
    }

    Map<String, Object> described(long pid, long sidecarPid) {
        var out = new LinkedHashMap<String, Object>();
        out.put("name", service);
        out.put("workload", name);
        out.put("version", version);
        out.put("pid", pid);
        out.put("sidecarPid", sidecarPid);
        out.put("app", address(app));
        out.put("inbound", address(inbound));
        out.put("outbound", address(outbound));
        out.put("admin", address(admin));
        out.put("metrics", adminUrl("/metrics").toString());
        out.put("spiffeId", "spiffe://cluster.local/ns/default/sa/" + service);
        return out;
    }
}
