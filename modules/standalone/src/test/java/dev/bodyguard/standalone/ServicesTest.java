package dev.bodyguard.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.JoinKey;
import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The control plane as four processes that know of each other what is in their environment, and share no folder.
@Timeout(120)
class ServicesTest {
    private static final String HOST = "80/payment-service";

    @TempDir
    Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();
    private Path documents = Path.of("");
    private Path mesh = Path.of("");

    @BeforeEach
    void author() throws IOException {
        documents = Files.createDirectory(folder.resolve("documents"));
        mesh = folder.resolve("identity");
        share(90, 10);
    }

    @AfterEach
    void close() throws Exception {
        for (var one : open.reversed()) {
            one.close();
        }
    }

    @Test
    void aSidecarGetsItsVirtualHostThroughFourProcesses() throws Exception {
        var identity = start("identity", "dev.bodyguard.identity.service", Map.of("BODYGUARD_STATE", mesh.toString()));
        var discovery = start(
                "discovery",
                "dev.bodyguard.discovery",
                Map.of(
                        "BODYGUARD_STATE", stateOf("discovery").toString(),
                        "BODYGUARD_FILES", documents.toString(),
                        "BODYGUARD_IDENTITY", identity.address("identity")));
        var config = start(
                "config",
                "dev.bodyguard.config",
                Map.of(
                        "BODYGUARD_STATE", stateOf("config").toString(),
                        "BODYGUARD_IDENTITY", identity.address("identity"),
                        "BODYGUARD_DISCOVERY", discovery.address("discovery")));
        var telemetry = start(
                "telemetry",
                "dev.bodyguard.telemetry.service",
                Map.of(
                        "BODYGUARD_STATE", stateOf("telemetry").toString(),
                        "BODYGUARD_IDENTITY", identity.address("identity")));
        var addresses = Map.of(
                "identity", identity.address("identity"),
                "discovery", discovery.address("discovery"),
                "xds", config.address("xds"));

        var checkout = sidecar(addresses, "checkout");
        var _ = sidecar(addresses, "payment-service").enrol("v1", 9001);
        checkout.follow(Map.of(TypeUrls.VIRTUAL_HOST, List.of(HOST)));
        checkout.await("had the split 90/10", it -> split(it).equals(List.of(90, 10)));
        share(20, 80);
        checkout.await("had the split 20/80", it -> split(it).equals(List.of(20, 80)));

        for (String admin : List.of(
                identity.address("admin"),
                discovery.address("admin"),
                config.address("admin"),
                telemetry.address("telemetry"))) {
            assertThat(ControlPlaneTest.get(admin, "/healthz/ready")).isEqualTo("ready\n");
        }
        assertThat(ControlPlaneTest.get(identity.address("admin"), "/metrics")).contains("bodyguard_identity_");
        assertThat(ControlPlaneTest.get(discovery.address("admin"), "/workloads"))
                .startsWith("[{\"name\":\"default/payment-service-1\",\"service\":\"payment-service\"");
        assertThat(ControlPlaneTest.get(config.address("admin"), "/metrics"))
                .contains("bodyguard_config_workloads 1.0");
        assertThat(ControlPlaneTest.get(config.address("admin"), "/proxies"))
                .contains("spiffe://cluster.local/ns/default/sa/checkout", "\"inForce\":true");
        for (var process : List.of(config, discovery, identity, telemetry)) {
            assertThat(process.terminate()).as(process.name).isZero();
            assertThat(process.log()).as(process.name).endsWith("bodyguard service " + process.name + ": ended");
        }
    }

    @Test
    void aServiceThatCannotJoinSaysWhatIsMissing() throws Exception {
        var config = new ServiceProcess("config", "dev.bodyguard.config", Map.of("BODYGUARD_STATE", mesh.toString()));
        open.add(config);
        var lost = new ServiceProcess("discovery", "dev.bodyguard.discovery", Map.of());
        open.add(lost);

        assertThat(config.status()).isEqualTo(1);
        assertThat(config.log())
                .isEqualTo("bodyguard service config: " + mesh.resolve("root.pem")
                        + " does not exist; start identity first, or copy the file from its state folder");
        assertThat(lost.status()).isEqualTo(2);
        assertThat(lost.log())
                .isEqualTo("bodyguard service discovery: BODYGUARD_STATE is not set: name the folder with root.pem and"
                        + " the join token, as identity writes them");
    }

    private ServiceProcess start(String name, String module, Map<String, String> environment)
            throws IOException, InterruptedException {
        var process = new ServiceProcess(name, module, environment);
        open.add(process);
        process.awaitReady();
        return process;
    }

    /// What an operator carries from identity's machine to another's.
    private Path stateOf(String service) throws IOException {
        var state = Files.createDirectory(folder.resolve(service));
        Files.createDirectory(state.resolve("join"));
        var token = Path.of("join", service + ".bodyguard-system.token");
        Files.copy(mesh.resolve("root.pem"), state.resolve("root.pem"));
        Files.copy(mesh.resolve(token), state.resolve(token));
        return state;
    }

    private Sidecar sidecar(Map<String, String> addresses, String service) throws Exception {
        JoinKey.openOrCreate(mesh.resolve("join.key"), new SecureRandom())
                .mint("default", service)
                .write(mesh.resolve("join").resolve(service + ".token"));
        var sidecar = new Sidecar(addresses, mesh, service, "1");
        open.add(sidecar);
        return sidecar;
    }

    private void share(int v1, int v2) throws IOException {
        Files.writeString(documents.resolve("payments.yaml"), """
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata: {name: payment-vs}
            spec:
              hosts: [payment-service]
              http:
                - route:
                    - destination: {host: payment-service, subset: v1}
                      weight: %d
                    - destination: {host: payment-service, subset: v2}
                      weight: %d
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: DestinationRule
            metadata: {name: payment-dr}
            spec:
              host: payment-service
              subsets:
                - {name: v1, labels: {version: v1}}
                - {name: v2, labels: {version: v2}}
            """.formatted(v1, v2));
    }

    private static List<Integer> split(Sidecar sidecar) {
        return sidecar.held(TypeUrls.VIRTUAL_HOST, HOST, VirtualHost.class)
                .map(host -> host.getRoutes(0).getRoute().getWeightedClusters().getClustersList().stream()
                        .map(cluster -> cluster.getWeight().getValue())
                        .toList())
                .orElse(List.of());
    }

    /// One service, started as its launcher would, on free ports.
    private final class ServiceProcess implements AutoCloseable {
        private final String name;
        private final Path log;
        private final Process process;

        ServiceProcess(String name, String module, Map<String, String> environment) throws IOException {
            this.name = name;
            this.log = folder.resolve(name + ".log");
            var command = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-Xmx128m",
                            "--enable-native-access=ALL-UNNAMED",
                            "--sun-misc-unsafe-memory-access=allow",
                            "-p",
                            System.getProperty("jdk.module.path"),
                            "-cp",
                            System.getProperty("java.class.path"),
                            "--add-modules",
                            "ALL-MODULE-PATH",
                            "-m",
                            module + "/" + module + ".Main")
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            for (String port : List.of("IDENTITY", "DISCOVERY", "XDS", "TELEMETRY", "OTLP", "ADMIN")) {
                command.environment().put("BODYGUARD_" + port + "_PORT", "0");
            }
            command.environment().putAll(environment);
            process = command.start();
        }

        /// Waits for the line that says where it is.
        void awaitReady() throws IOException, InterruptedException {
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
            while (!log().contains(ready())) {
                assertThat(System.nanoTime())
                        .as("%s is ready, but: %s", name, log())
                        .isLessThan(until);
                assertThat(process.waitFor(50, TimeUnit.MILLISECONDS))
                        .as("%s is over: %s", name, log())
                        .isFalse();
            }
        }

        private String ready() {
            return "bodyguard service " + name + ": ready: ";
        }

        String address(String what) throws IOException {
            var line =
                    log().lines().filter(it -> it.contains(ready())).findFirst().orElseThrow();
            return line.replaceFirst(".*\\b" + what + " (127\\.0\\.0\\.1:[0-9]+).*", "$1");
        }

        String log() throws IOException {
            return Files.readString(log).strip();
        }

        int status() throws InterruptedException {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).as(name + " ends").isTrue();
            return process.exitValue();
        }

        int terminate() throws InterruptedException {
            process.destroy();
            return status();
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }
}
