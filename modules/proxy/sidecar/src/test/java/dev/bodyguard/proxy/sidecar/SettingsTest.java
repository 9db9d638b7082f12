package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SettingsTest {
    @Test
    void readsEveryFlagAndTheCommand() {
        var settings = run(
                "--service=payment-service --version v2 --app-port 8080 --state /tmp/mesh --labels tier=gold --ttl 10s"
                        + " --drain-time 4s --inbound-port 15006 -- ./payment-service --port 8080");

        assertThat(settings.workload()).isEqualTo("payment-service-v2-8080");
        assertThat(settings.labels())
                .containsEntry("app", "payment-service")
                .containsEntry("version", "v2")
                .containsEntry("tier", "gold");
        assertThat(settings.inboundPort()).isEqualTo(15006);
        assertThat(settings.ttl()).isEqualTo(Duration.ofSeconds(10));
        assertThat(settings.drainTime()).isEqualTo(Duration.ofSeconds(4));
        assertThat(settings.command()).containsExactly("./payment-service", "--port", "8080");
    }

    @Test
    void namesAFlagItDoesNotKnow() {
        assertThat(mistake("--service a --app-port 1 --state x --sevice b")).contains("unknown flag --sevice");
    }

    @Test
    void namesWhatIsMissing() {
        assertThat(mistake("--service a --state x")).contains("--app-port is missing");
    }

    @Test
    void findsTheStateFolderAsRunDoes() {
        var args = List.of("--service", "a", "--app-port", "1");

        assertThat(Settings.from(args, Map.of("BODYGUARD_STATE", "/run/mesh")))
                .isEqualTo(new Settings.Asked.Run(run("--service a --app-port 1 --state /run/mesh")));
        assertThat(run("--service a --app-port 1").state())
                .isEqualTo(Path.of(".bodyguard").toAbsolutePath());
    }

    @Test
    void saysWhichValueIsWrongAndWhy() {
        assertThat(mistake("--service a --state x --app-port 99999"))
                .contains("--app-port must be a port from 1 to 65535, was 99999");
        assertThat(mistake("--service a/b --state x --app-port 1")).contains("--service must be made of");
        assertThat(mistake("--service a --state x --app-port 1 --ttl soon")).contains("--ttl must be a number");
        assertThat(mistake("--service a --state x --app-port 1 --ttl 1s"))
                .contains("--ttl must be ten seconds or more");
        assertThat(mistake("--service a --state x --app-port 1 --drain-time 500ms"))
                .contains("--drain-time must be a second or more, was 500ms");
        assertThat(mistake("--service a --state x --app-port 1 --access-log no"))
                .contains("--access-log must be stdout or off, was 'no'");
    }

    @Test
    void logsEveryExchangeUnlessToldNotTo() {
        assertThat(run("--service a --app-port 1 --state x").accessLog()).isTrue();
        assertThat(run("--service a --app-port 1 --state x --access-log off").accessLog())
                .isFalse();
    }

    @Test
    void documentsEveryFlag() {
        assertThat(Settings.from(List.of("--help"), Map.of())).isInstanceOf(Settings.Asked.Help.class);
        assertThat(Standalone.HELP)
                .contains("--service", "--app-port", "--state", "--version", "--namespace", "--name", "--labels")
                .contains("--outbound-port", "--inbound-port", "--admin-port", "--ttl", "--drain-time")
                .contains("--access-log", "HTTP_PROXY", "BODYGUARD_PROFILE");
    }

    private static Standalone run(String line) {
        return switch (Settings.from(List.of(line.split(" ")), Map.of())) {
            case Settings.Asked.Run(Standalone settings) -> settings;
            case Settings.Asked.Run(InPod _) -> throw new AssertionError("in a pod");
            case Settings.Asked.Help _ -> throw new AssertionError("asked for help");
            case Settings.Asked.Mistake(var sentence) -> throw new AssertionError(sentence);
        };
    }

    private static String mistake(String line) {
        return switch (Settings.from(List.of(line.split(" ")), Map.of())) {
            case Settings.Asked.Mistake(var sentence) -> sentence;
            case Settings.Asked.Run _, Settings.Asked.Help _ -> throw new AssertionError("accepted: " + line);
        };
    }
}
