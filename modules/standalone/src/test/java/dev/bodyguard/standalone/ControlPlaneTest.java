package dev.bodyguard.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The control plane whole, on real files and real sockets.
@Timeout(60)
class ControlPlaneTest {
    private static final String HOST = "80/payment-service";
    private static final String V2 = "outbound|80|v2|payment-service.default.svc.cluster.local";
    private static final Map<String, List<String>> ROUTES = Map.of(TypeUrls.VIRTUAL_HOST, List.of(HOST));

    @TempDir
    Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();
    private Path documents;
    private Path state;

    @BeforeEach
    void author() throws IOException {
        documents = Files.createDirectory(folder.resolve("mesh"));
        state = folder.resolve("state");
        weights(90, 10);
        Files.writeString(
                documents.resolve("accounts.yaml"),
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: checkout}\n");
    }

    @AfterEach
    void close() throws Exception {
        for (var one : open.reversed()) {
            one.close();
        }
    }

    @Test
    void anEditReachesAProxyWithinASecond() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        sidecar(plane, "payment-service", "1").enrol("payment-service", "v1", 9001);
        checkout.subscribe(ROUTES, "checkout");
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));

        long began = System.nanoTime();
        weights(20, 80);
        checkout.await("had the split 20/80", it -> split(it).equals(List.of(20, 80)));

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void aRefusedVersionLeavesTheLastGoodOneInForce() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        sidecar(plane, "payment-service", "1").enrol("payment-service", "v1", 9001);
        checkout.subscribe(ROUTES, "checkout");
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));

        try (var log = new Log()) {
            weights(90, -5);
            var line =
                    log.await("payments.yaml:13:15: VirtualService default/payment-vs: spec.http[0].route[1].weight:");
            assertThat(line).contains("-5").endsWith("; the last good version stays in force");
            assertThat(split(checkout)).containsExactly(90, 10);

            weights(70, 30);
            checkout.await("had the split 70/30", it -> split(it).equals(List.of(70, 30)));
            log.await("VirtualService default/payment-vs (payments.yaml:1:1) is correct again and in force");
        }
    }

    @Test
    void aWorkloadIsOutOnceItDrainsAndOnceItsStreamIsLost() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var first = sidecar(plane, "payment-service", "1");
        var second = sidecar(plane, "payment-service", "2");
        var registration = first.enrol("payment-service", "v2", 9001);
        second.enrol("payment-service", "v2", 9002);
        checkout.subscribe(Map.of(TypeUrls.ENDPOINTS, List.of(V2)), "checkout");
        checkout.await("knew both", it -> ports(it).equals(List.of(9001, 9002)));

        registration.onNext(Sidecar.drain());
        first.await("heard that it is drained", it -> it.registry().stream().anyMatch(answer -> answer.getDrained()));
        checkout.await("knew only the second", it -> ports(it).equals(List.of(9002)));

        second.close();
        checkout.await(
                "knew none",
                it -> ports(it).isEmpty()
                        && !it.held(TypeUrls.ENDPOINTS, V2, ClusterLoadAssignment.class)
                                .isEmpty());
    }

    @Test
    void nobodyIsServedUnderAnothersName() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");

        checkout.subscribe(ROUTES, "payment-service");
        checkout.await("was refused", it -> it.ends().size() == 1);
        checkout.enrol("payment-service", "v1", 9001);
        checkout.await("was refused again", it -> it.ends().size() == 2);

        assertThat(checkout.ends().getFirst())
                .startsWith(
                        "PERMISSION_DENIED: the node says it is spiffe://cluster.local/ns/default/sa/payment-service");
        assertThat(checkout.ends().getLast())
                .startsWith("PERMISSION_DENIED: workload default/payment-service-1 says it is");
    }

    @Test
    void aRestartTakesNothingFromThoseWhoComeBack() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        try (var app = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"))) {
            sidecar(plane, "payment-service", "1").enrol("payment-service", "v2", app.getLocalPort());
            var names = Map.of(TypeUrls.VIRTUAL_HOST, List.of(HOST), TypeUrls.ENDPOINTS, List.of(V2));
            checkout.subscribe(names, "checkout");
            checkout.await(
                    "had routes and endpoint",
                    it -> split(it).equals(List.of(90, 10)) && ports(it).equals(List.of(app.getLocalPort())));
            var before = plane.addresses();

            long began = System.nanoTime();
            plane.close();
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
            assertThat(state.resolve("control-plane.json")).doesNotExist();
            start(before);
            checkout.subscribe(names, "checkout");
            weights(50, 50);
            checkout.await("had the split 50/50", it -> split(it).equals(List.of(50, 50)));

            assertThat(checkout.everRemoved()).isEmpty();
            assertThat(ports(checkout)).containsExactly(app.getLocalPort());
        }
    }

    @Test
    void theStateFolderIsPrivateAndSaysWhereEverythingIs() throws Exception {
        var plane = start();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(state)))
                .isEqualTo("rwx------");
        assertThat(Files.readString(state.resolve("control-plane.json")))
                .startsWith("{\"pid\":" + ProcessHandle.current().pid() + ",\"identity\":\"127.0.0.1:")
                .contains("\"xds\":\"" + plane.addresses().get("xds") + "\"", "\"telemetry\":", "\"admin\":");
        assertThat(state.resolve("join/payment-service.token")).exists();
        assertThat(state.resolve("join/checkout.token")).exists();
        assertThat(get(plane, "/healthz/ready")).contains("200 OK").endsWith("ready\n");
        assertThat(get(plane, "/metrics"))
                .contains("bodyguard_config_documents 3.0", "bodyguard_config_generations_total");
        assertThat(get(plane, "/proxies")).endsWith("[]\n");
    }

    @Test
    void oneStateFolderHasOneControlPlane() throws Exception {
        start();

        assertThatThrownBy(this::start)
                .isInstanceOf(IOException.class)
                .hasMessageContaining(
                        "is in use by pid " + ProcessHandle.current().pid());
    }

    @Test
    void aTakenPortIsNamedWithItsFlagAndItsOwner() throws Exception {
        try (var taken = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"))) {
            int port = taken.getLocalPort();

            assertThatThrownBy(() -> ControlPlane.start(Settings.from(
                            "-f", documents.toString(), "--state", state.toString(), "--xds-port=" + port)))
                    .hasMessageStartingWith("port " + port + " (--xds-port) is in use by pid "
                            + ProcessHandle.current().pid() + " (");
        }
    }

    private ControlPlane start() throws IOException, InterruptedException {
        return start(Map.of());
    }

    private ControlPlane start(Map<String, String> at) throws IOException, InterruptedException {
        var args = new ArrayList<>(List.of("-f", documents.toString(), "--state", state.toString()));
        for (String service : List.of("xds", "identity", "discovery", "telemetry", "admin")) {
            args.add("--" + service + "-port");
            args.add(at.getOrDefault(service, ":0").replaceAll(".*:", ""));
        }
        var plane = ControlPlane.start(Settings.from(args.toArray(String[]::new)));
        open.add(plane);
        return plane;
    }

    private Sidecar sidecar(ControlPlane plane, String service, String instance) throws Exception {
        var sidecar = new Sidecar(plane.addresses(), state, service, instance);
        open.add(sidecar);
        return sidecar;
    }

    private void weights(int v1, int v2) throws IOException {
        Path next = folder.resolve("next");
        Files.writeString(next, """
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata:
              name: payment-vs
            spec:
              hosts:
              - payment-service
              http:
              - route:
                - destination: {host: payment-service, subset: v1}
                  weight: %d
                - destination: {host: payment-service, subset: v2}
                  weight: %d
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: DestinationRule
            metadata:
              name: payment
            spec:
              host: payment-service
              subsets:
              - name: v1
                labels: {version: v1}
              - name: v2
                labels: {version: v2}
            """.formatted(v1, v2));
        Files.move(
                next,
                documents.resolve("payments.yaml"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING,
                java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    private static List<Integer> split(Sidecar sidecar) {
        return sidecar.held(TypeUrls.VIRTUAL_HOST, HOST, VirtualHost.class).stream()
                .flatMap(host -> host.getRoutesList().stream().limit(1))
                .flatMap(route -> route.getRoute().getWeightedClusters().getClustersList().stream())
                .map(cluster -> cluster.getWeight().getValue())
                .toList();
    }

    private static List<Integer> ports(Sidecar sidecar) {
        return sidecar.held(TypeUrls.ENDPOINTS, V2, ClusterLoadAssignment.class).stream()
                .flatMap(cluster -> cluster.getEndpointsList().stream())
                .flatMap(locality -> locality.getLbEndpointsList().stream())
                .map(endpoint ->
                        endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue())
                .sorted()
                .toList();
    }

    private static String get(ControlPlane plane, String path) throws IOException {
        String[] address = String.valueOf(plane.addresses().get("admin")).split(":", -1);
        try (var socket = new Socket(address[0], Integer.parseInt(address[1]))) {
            socket.getOutputStream()
                    .write(("GET " + path + " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
