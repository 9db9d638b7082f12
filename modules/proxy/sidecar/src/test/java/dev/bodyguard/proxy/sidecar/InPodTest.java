package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.wire.Interception;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InPodTest {
    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void injected() throws IOException {
        Files.writeString(folder.resolve("labels"), "app=\"payments\"\nversion=\"v2\"\n");
        environment.putAll(Map.of(
                "POD_NAME", "payments-7d4-x2",
                "POD_NAMESPACE", "shop",
                "POD_IPS", "10.244.0.7,fd00::7",
                "SERVICE_ACCOUNT", "payments-sa",
                "BODYGUARD_IDENTITY", "bodyguard-identity.bodyguard-system.svc:15013",
                "BODYGUARD_CONFIG", "bodyguard-config.bodyguard-system.svc:15012",
                "BODYGUARD_STATE", "/var/lib/bodyguard",
                "BODYGUARD_TOKEN", folder.resolve("token").toString(),
                "BODYGUARD_ROOT", "/root.pem",
                "BODYGUARD_PODINFO", folder.toString()));
        environment.put("BODYGUARD_APP_PORTS", "8080, 9090");
    }

    @Test
    void readsWhatWasInjected() throws IOException {
        environment.put("BODYGUARD_CAPTURE", "TPROXY");
        environment.put("BODYGUARD_APP_METRICS", "http://127.0.0.1:9090/metrics");
        Files.writeString(folder.resolve("token"), "a.b.c\n");

        var pod = pod();

        assertThat(pod.service()).isEqualTo("payments");
        assertThat(pod.workload()).isEqualTo("payments-7d4-x2");
        assertThat(pod.serviceAccount()).isEqualTo("payments-sa");
        assertThat(pod.labels()).containsEntry("version", "v2");
        assertThat(pod.ips()).containsExactly(InetAddress.ofLiteral("10.244.0.7"), InetAddress.ofLiteral("fd00::7"));
        assertThat(pod.appPorts()).containsExactly(8080, 9090);
        assertThat(pod.interception()).isEqualTo(Interception.TPROXY);
        assertThat(pod.controlPlane().config()).isEqualTo("bodyguard-config.bodyguard-system.svc:15012");
        assertThat(pod.appMetrics().orElseThrow()).hasPort(9090);
        assertThat(pod.tokenNow()).isEqualTo("a.b.c");
        assertThat(pod.ttl()).as("left to the authority").isZero();
    }

    @Test
    void tellsConfigAllOfIt() {
        var node = new Node(pod()).proto();

        assertThat(node.getId()).isEqualTo("sidecar~10.244.0.7~payments-7d4-x2.shop~shop.svc.cluster.local");
        assertThat(node.getMetadata().getFieldsOrThrow("APP_PORTS").getStringValue())
                .isEqualTo("8080,9090");
        assertThat(node.getMetadata().getFieldsOrThrow("SERVICE_ACCOUNT").getStringValue())
                .isEqualTo("payments-sa");
    }

    @Test
    void isNamedByTheFirstLabelThatNamesIt() throws IOException {
        Files.writeString(folder.resolve("labels"), "app=\"a\"\napp.kubernetes.io/name=\"named\"\n");
        assertThat(pod().service()).isEqualTo("named");

        Files.writeString(folder.resolve("labels"), "");
        assertThat(pod().service()).isEqualTo("payments-7d4-x2");
    }

    @Test
    void servesPodsThatDeclareNoPort() {
        environment.put("BODYGUARD_APP_PORTS", "");

        assertThat(pod().appPorts()).isEmpty();
    }

    @Test
    void namesTheVariableThatIsWrong() {
        assertThat(mistake("POD_IPS", "10.0.0.1,pod")).contains("POD_IPS must be IP addresses", "'pod'");
        assertThat(mistake("BODYGUARD_APP_PORTS", "8080,http")).contains("BODYGUARD_APP_PORTS must be ports", "'http'");
        assertThat(mistake("BODYGUARD_CONFIG", "config")).contains("BODYGUARD_CONFIG must be host:port, was 'config'");
        assertThat(mistake("BODYGUARD_CAPTURE", "NONE")).contains("must be REDIRECT or TPROXY, was 'NONE'");
        assertThat(mistake("BODYGUARD_PROBES", "{\"/x\":{\"exec\":{}}}")).contains("BODYGUARD_PROBES: /x: must have");
        assertThat(mistake("SERVICE_ACCOUNT", "")).contains("SERVICE_ACCOUNT must be set in a pod");
        assertThat(mistake("BODYGUARD_PODINFO", "/none")).contains("BODYGUARD_PODINFO", "/none/labels");
    }

    @Test
    void isTakenForACommandLineWhereThereIsOne() {
        assertThat(Settings.from(List.of("--help"), environment)).isInstanceOf(Settings.Asked.Help.class);
    }

    private InPod pod() {
        return switch (Settings.from(List.of(), environment)) {
            case Settings.Asked.Run(InPod pod) -> pod;
            case Settings.Asked other -> throw new AssertionError(other);
        };
    }

    private String mistake(String name, String value) {
        var before = environment.put(name, value);
        try {
            return switch (Settings.from(List.of(), environment)) {
                case Settings.Asked.Mistake(var sentence) -> sentence;
                case Settings.Asked other -> throw new AssertionError(other);
            };
        } finally {
            if (before == null) {
                environment.remove(name);
            } else {
                environment.put(name, before);
            }
        }
    }
}
