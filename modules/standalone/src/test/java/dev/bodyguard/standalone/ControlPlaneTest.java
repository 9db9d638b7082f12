package dev.bodyguard.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.service.Keys;
import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    private static final Map<String, List<String>> ENDPOINTS = Map.of(TypeUrls.ENDPOINTS, List.of(V2));
    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final Duration LEASE = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();
    private Path documents = Path.of("");
    private Path state = Path.of("");

    @BeforeEach
    void author() throws IOException {
        documents = Files.createDirectory(folder.resolve("mesh"));
        state = folder.resolve("state");
        weights(90, 10);
        write("accounts.yaml", """
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: checkout}
            """);
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
        var _ = sidecar(plane, "payment-service", "1").enrol("v1", 9001);
        checkout.follow(ROUTES);
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));

        var took = new ArrayList<Duration>();
        for (var split : List.of(List.of(20, 80), List.of(30, 70), List.of(40, 60), List.of(50, 50), List.of(0, 100))) {
            long began = System.nanoTime();
            weights(split.getFirst(), split.getLast());
            checkout.await("had the split " + split, it -> split(it).equals(split));
            took.add(since(began));
        }

        // The usual edit: a machine that also builds may stop for a while during any one of them.
        assertThat(took.stream().sorted().skip(2).findFirst().orElseThrow())
                .as("took %s", took)
                .isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void anEditReachesAProxyOverHelidonToo() throws Exception {
        var plane = start(Map.of(), "--xds-transport", "helidon");
        var checkout = sidecar(plane, "checkout", "1");
        var _ = sidecar(plane, "payment-service", "1").enrol("v1", 9001);
        checkout.follow(ROUTES);
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));

        weights(20, 80);

        checkout.await("had the split 20/80", it -> split(it).equals(List.of(20, 80)));
    }

    @Test
    void aDocumentCannotNameTheControlPlanesOwnAccounts() throws Exception {
        write("hostile.yaml", """
            apiVersion: v1
            kind: Service
            metadata: {name: config, namespace: bodyguard-system}
            spec: {ports: [{port: 80}]}
            """);
        try (var log = new Log()) {
            start();

            assertThat(state.resolve("join/config.bodyguard-system.token")).doesNotExist();
            assertThat(log.with("no join token for service account bodyguard-system/config:"))
                    .singleElement()
                    .asString()
                    .endsWith("namespace bodyguard-system is the control plane's own; name another one");
        }
    }

    @Test
    void aRefusedVersionLeavesTheLastGoodOneInForce() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var _ = sidecar(plane, "payment-service", "1").enrol("v1", 9001);
        checkout.follow(ROUTES);
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));

        try (var log = new Log()) {
            weights(90, -5);
            var line =
                    log.await("payments.yaml:13:15: VirtualService default/payment-vs: spec.http[0].route[1].weight:");
            log.await("1 problems"); // everything that becomes of this edit has been said
            weights(70, 30);
            checkout.await("had the split 70/30", it -> split(it).equals(List.of(70, 30)));

            assertThat(line).contains("-5").endsWith("; the last good version stays in force");
            assertThat(log.with("payments.yaml:13")).containsExactly(line);
            assertThat(log.with("VirtualService default/payment-vs (payments.yaml:1:1) is correct now and in force"))
                    .hasSize(1);
        }
        assertThat(splits(checkout)).containsExactly(List.of(90, 10), List.of(70, 30));
        assertThat(checkout.removed()).isEmpty();
    }

    @Test
    void aFileThatIsNoYamlLeavesWhatItSaidInForce() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var _ = sidecar(plane, "payment-service", "1").enrol("v1", 9001);
        checkout.follow(ROUTES);
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));

        try (var log = new Log()) {
            write("payments.yaml", "kind: VirtualService\nspec: [unclosed\n");
            log.await("payments.yaml:");
            weights(70, 30);
            checkout.await("had the split 70/30", it -> split(it).equals(List.of(70, 30)));

            assertThat(log.with("payments.yaml:")).hasSize(1).first().asString().startsWith("payments.yaml:3:1: ");
            assertThat(log.with("payments.yaml is readable again")).hasSize(1);
        }
        assertThat(splits(checkout)).containsExactly(List.of(90, 10), List.of(70, 30));
        assertThat(checkout.removed()).isEmpty();
    }

    @Test
    void oneBadFileAtTheStartTakesNothingFromTheOthers() throws Exception {
        write("bad.yaml", "kind: [");
        try (var log = new Log()) {
            var plane = start();
            var checkout = sidecar(plane, "checkout", "1");
            var _ = sidecar(plane, "payment-service", "1").enrol("v1", 9001);
            checkout.follow(ROUTES);

            checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));
            assertThat(log.with("bad.yaml:")).hasSize(1);
            assertThat(get(plane, "/problems")).contains("\"severity\":\"ERROR\"", "bad.yaml:1:");
        }
    }

    @Test
    void aWorkloadIsInOnceItEnrolsAndOutOnceItDrains() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var first = sidecar(plane, "payment-service", "1").enrol("v2", 9001);
        checkout.follow(ENDPOINTS);
        checkout.await("knew the first", it -> ports(it).equals(List.of(9001)));
        var _ = sidecar(plane, "payment-service", "2").enrol("v2", 9002);
        checkout.await("knew both", it -> ports(it).equals(List.of(9001, 9002)));

        long began = System.nanoTime();
        first.drain();
        checkout.await("knew only the second", it -> ports(it).equals(List.of(9002)));

        assertThat(since(began)).isLessThan(GRACE);
    }

    @Test
    void aSecondSidecarOfANameIsToldWhoHasItAndFollowsItsEnd() throws Exception {
        var plane = start();
        var first = sidecar(plane, "payment-service", "1");
        var second = sidecar(plane, "payment-service", "1");
        var before = first.enrol("v2", 9001);

        assertThat(second.register(second.workload("v2", 9002)).end())
                .startsWith("ALREADY_EXISTS: the name default/payment-service-1 is taken: the sidecar at 127.0.0.1:9001"
                        + " has it since ")
                .endsWith("and renews its lease; end that one, or choose another --name");

        before.drain();
        var _ = second.enrol("v2", 9002);
    }

    @Test
    void aBrokenConnectionCountsOnlyOnceTheGraceIsOver() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var returning = sidecar(plane, "payment-service", "1");
        var cable = new Cable(Objects.requireNonNull(plane.addresses().get("discovery")));
        open.add(cable);
        var addresses = new HashMap<>(plane.addresses());
        addresses.put("discovery", cable.address());
        var killed = sidecar(addresses, "payment-service", "2");
        var before = returning.enrol("v2", 9001);
        var _ = killed.enrol("v2", 9002);
        checkout.follow(ENDPOINTS);
        checkout.await("knew both", it -> ports(it).equals(List.of(9001, 9002)));

        long began = System.nanoTime();
        before.sever();
        var _ = returning.enrol("v2", 9001);
        cable.cut();
        checkout.await("knew only who came back", it -> ports(it).equals(List.of(9001)));

        // The one that came back broke first: had that counted, it would be out before the other.
        assertThat(since(began)).isBetween(GRACE, LEASE);
        assertThat(checkout.history(V2, ClusterLoadAssignment.class).stream().map(ControlPlaneTest::ports))
                .allSatisfy(known -> assertThat(known).contains(9001));
    }

    @Test
    void nobodyIsServedUnderAnothersName() throws Exception {
        var plane = start();
        var another = sidecar(plane, "checkout", "1");
        var elsewhere = sidecar(plane, "checkout", "2");

        another.follow(ROUTES, "default", "payment-service");
        elsewhere.follow(ROUTES, "shop", "checkout");
        another.await("was refused", it -> !it.lost().isEmpty());
        elsewhere.await("was refused", it -> !it.lost().isEmpty());

        assertThat(another.lost().getFirst())
                .contains("PERMISSION_DENIED")
                .contains("the node says it is spiffe://cluster.local/ns/default/sa/payment-service (its NAMESPACE and"
                        + " SERVICE_ACCOUNT), but its certificate says spiffe://cluster.local/ns/default/sa/checkout");
        assertThat(elsewhere.lost().getFirst())
                .contains("PERMISSION_DENIED", "the node says it is spiffe://cluster.local/ns/shop/sa/checkout");
        assertThat(another.connected() + elsewhere.connected()).isZero();
    }

    @Test
    void nobodyRegistersUnderAnothersName() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var own = checkout.workload("v1", 9001);

        var otherAccount = checkout.register(own.toBuilder()
                .setService("payment-service")
                .setServiceAccount("payment-service")
                .build());
        var otherNamespace =
                checkout.register(own.toBuilder().setNamespace("shop").build());
        var otherService =
                checkout.register(own.toBuilder().setService("payment-service").build());

        assertThat(otherAccount.end())
                .isEqualTo("PERMISSION_DENIED: workload default/checkout-1 says it is"
                        + " spiffe://cluster.local/ns/default/sa/payment-service, but its certificate says"
                        + " spiffe://cluster.local/ns/default/sa/checkout; start its sidecar with the join token of"
                        + " that service account");
        assertThat(otherNamespace.end())
                .startsWith("PERMISSION_DENIED: workload shop/checkout-1 says it is"
                        + " spiffe://cluster.local/ns/shop/sa/checkout, but");
        assertThat(otherService.end())
                .startsWith("PERMISSION_DENIED: workload default/checkout-1 of service account checkout may not"
                        + " register for service payment-service");
    }

    @Test
    void aRestartTakesNothingFromThoseWhoFollow() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var payment = sidecar(plane, "payment-service", "1");
        try (var app = new ServerSocket(0, 50, InetAddress.ofLiteral(Cable.HOST))) {
            var registration = payment.enrol("v2", app.getLocalPort());
            checkout.follow(Map.of(TypeUrls.VIRTUAL_HOST, List.of(HOST), TypeUrls.ENDPOINTS, List.of(V2)));
            checkout.await(
                    "had routes and endpoint",
                    it -> split(it).equals(List.of(90, 10)) && ports(it).equals(List.of(app.getLocalPort())));

            // Who subscribed before the workload was known was told that there is nothing yet.
            var before = checkout.removed();
            int told = checkout.history(V2, ClusterLoadAssignment.class).size();
            long began = System.nanoTime();
            plane.close();
            assertThat(since(began)).isLessThan(Duration.ofSeconds(5));
            assertThat(state.resolve("control-plane.json")).doesNotExist();
            assertThat(registration.end()).isNotEmpty();
            var again = start(plane.addresses());
            checkout.await("was answered again", it -> it.connected() == 2);
            var _ = payment.enrol("v2", app.getLocalPort());
            weights(50, 50);
            checkout.await("had the split 50/50", it -> split(it).equals(List.of(50, 50)));

            assertThat(again.addresses()).isEqualTo(plane.addresses());
            assertThat(checkout.removed()).isEqualTo(before);
            assertThat(splits(checkout)).containsOnly(List.of(90, 10), List.of(50, 50));
            assertThat(checkout.history(V2, ClusterLoadAssignment.class).stream()
                            .skip(told)
                            .map(ControlPlaneTest::ports))
                    .allMatch(List.of(app.getLocalPort())::equals);
        }
    }

    @Test
    void aRestartLeavesTheLastGoodVersionInForce() throws Exception {
        var plane = start();
        var checkout = sidecar(plane, "checkout", "1");
        var _ = sidecar(plane, "payment-service", "1").enrol("v1", 9001);
        checkout.follow(ROUTES);
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));
        weights(70, 30);
        checkout.await("had the split 70/30", it -> split(it).equals(List.of(70, 30)));
        try (var log = new Log()) {
            weights(70, -5);
            log.await("; the last good version stays in force");
        }

        plane.close();
        try (var log = new Log()) {
            start(plane.addresses());
            checkout.await("was answered again", it -> it.connected() == 2);

            assertThat(log.with("payments.yaml:13:15: VirtualService default/payment-vs: "))
                    .singleElement()
                    .asString()
                    .endsWith("was -5; the last good version stays in force");
            assertThat(state.resolve("config/last-good")).exists();
            weights(50, 50);
            checkout.await("had the split 50/50", it -> split(it).equals(List.of(50, 50)));
        }
        assertThat(splits(checkout)).containsExactly(List.of(90, 10), List.of(70, 30), List.of(50, 50));
        assertThat(checkout.removed()).isEmpty();
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
        assertThat(get(plane, "/healthz/ready")).isEqualTo("ready\n");
        assertThat(get(plane, "/metrics"))
                .contains("bodyguard_config_documents 3.0", "bodyguard_config_generations_total");
        assertThat(get(plane, "/proxies")).isEqualTo("[]\n");
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
        try (var taken = new ServerSocket(0, 50, InetAddress.ofLiteral(Cable.HOST))) {
            int port = taken.getLocalPort();

            assertThatThrownBy(() -> start(Map.of("xds", ":" + port)))
                    .hasMessageStartingWith("port " + port + " (--xds-port) is in use by pid "
                            + ProcessHandle.current().pid() + " (");
        }
    }

    @Test
    void aFolderOfDocumentsThatIsNotThereIsNamed() {
        documents = folder.resolve("nowhere");

        assertThatThrownBy(this::start)
                .isInstanceOf(IOException.class)
                .hasMessage(documents + " does not exist; create it, or name the folder that holds the YAML");
        assertThat(state).doesNotExist();
    }

    private ControlPlane start() throws IOException, InterruptedException {
        return start(Map.of());
    }

    /// Starts it on these addresses, on free ports where there is none.
    private ControlPlane start(Map<String, String> at, String... more) throws IOException, InterruptedException {
        var args = new ArrayList<>(List.of("-f", documents.toString(), "--state", state.toString()));
        args.addAll(List.of(more));
        for (String service : List.of("xds", "identity", "discovery", "telemetry", "otlp", "admin")) {
            args.add("--" + service + "-port");
            args.add(at.getOrDefault(service, ":0").replaceAll(".*:", ""));
        }
        var plane = ControlPlane.start(Settings.from(new Keys(Map.of()), args.toArray(String[]::new)));
        open.add(plane);
        return plane;
    }

    private Sidecar sidecar(ControlPlane plane, String service, String instance) throws Exception {
        return sidecar(plane.addresses(), service, instance);
    }

    private Sidecar sidecar(Map<String, String> addresses, String service, String instance) throws Exception {
        var sidecar = new Sidecar(addresses, state, service, instance);
        open.add(sidecar);
        return sidecar;
    }

    private void weights(int v1, int v2) throws IOException {
        write("payments.yaml", """
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
    }

    /// In one step, as editors do.
    private void write(String file, String text) throws IOException {
        Path next = Files.writeString(folder.resolve("next"), text);
        Files.move(next, documents.resolve(file), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private static Duration since(long began) {
        return Duration.ofNanos(System.nanoTime() - began);
    }

    private static List<Integer> split(Sidecar sidecar) {
        return sidecar.held(TypeUrls.VIRTUAL_HOST, HOST, VirtualHost.class)
                .map(ControlPlaneTest::split)
                .orElse(List.of());
    }

    /// Every split that was ever in force, without repetitions.
    private static List<List<Integer>> splits(Sidecar sidecar) {
        return sidecar.history(HOST, VirtualHost.class).stream()
                .map(ControlPlaneTest::split)
                .distinct()
                .toList();
    }

    private static List<Integer> split(VirtualHost host) {
        return host.getRoutes(0).getRoute().getWeightedClusters().getClustersList().stream()
                .map(cluster -> cluster.getWeight().getValue())
                .toList();
    }

    private static List<Integer> ports(Sidecar sidecar) {
        return sidecar.held(TypeUrls.ENDPOINTS, V2, ClusterLoadAssignment.class)
                .map(ControlPlaneTest::ports)
                .orElse(List.of());
    }

    private static List<Integer> ports(ClusterLoadAssignment cluster) {
        return cluster.getEndpointsList().stream()
                .flatMap(locality -> locality.getLbEndpointsList().stream())
                .map(endpoint ->
                        endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue())
                .sorted()
                .toList();
    }

    private static String get(ControlPlane plane, String path) throws IOException {
        return get(Objects.requireNonNull(plane.addresses().get("admin")), path);
    }

    static String get(String admin, String path) throws IOException {
        var connection =
                (HttpURLConnection) URI.create("http://" + admin + path).toURL().openConnection();
        connection.setConnectTimeout(5_000);
        connection.setReadTimeout(5_000);
        try (var body = connection.getInputStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
