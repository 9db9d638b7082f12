package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.JoinKey;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CommandLineTest {
    private final StringWriter err = new StringWriter();
    private final Map<String, String> environment = new HashMap<>();

    private int execute(String... arguments) {
        return Main.commandLine(environment).setErr(new PrintWriter(err)).execute(arguments);
    }

    @Test
    void helpListsEveryCommandAlsoThoseTheLauncherStarts() {
        assertThat(Main.commandLine(environment).getUsageMessage())
                .contains(
                        "demo",
                        "run",
                        "sidecar",
                        "explain",
                        "inject",
                        "install",
                        "uninstall",
                        "uninject",
                        "token",
                        "identity",
                        "version",
                        "--help");
    }

    /// Of a command's description the list of commands shows the first paragraph only.
    @Test
    void helpSaysWholeSentencesOfEveryCommandInEightyColumns() {
        var checked = new ArrayList<String>();
        var left = new ArrayDeque<>(List.of(Main.commandLine(environment)));
        while (!left.isEmpty()) {
            var command = left.remove();
            left.addAll(command.getSubcommands().values());
            checked.add(command.getCommandName());
            assertThat(command.getCommandSpec().usageMessage().description())
                    .as(command.getCommandName())
                    .isNotEmpty();
            var described = command.getCommandSpec().usageMessage().description()[0];
            assertThat(described).as(command.getCommandName()).matches("[A-Z].*\\.");
            assertThat(command.getUsageMessage().lines())
                    .as(command.getCommandName())
                    .allMatch(line -> line.length() <= 80);
        }

        assertThat(checked).contains("bodyguard", "uninstall", "inject", "sidecar", "fetch");
        assertThat(Main.commandLine(environment).getUsageMessage().replaceAll("\\s+", " "))
                .contains("Removes the mesh from the cluster of the current kubectl context. inject Puts the");
    }

    /// The launcher looks at the first word and starts another process for some: `run | sidecar)`, `service)`.
    @Test
    void everyWordThatTheLauncherKnowsIsACommand() throws Exception {
        var launcher = Files.readAllLines(Path.of("../../bodyguard"));
        int from = launcher.indexOf("case ${1:-} in");
        int to = launcher.subList(from, launcher.size()).indexOf("esac") + from;
        var words = launcher.subList(from + 1, to).stream()
                .filter(line -> line.matches(" {4}[a-z].*\\)"))
                .flatMap(line -> Arrays.stream(line.strip().replace(")", "").split(" \\| ")))
                .toList();

        assertThat(words).contains("run", "sidecar", "service", "demo");
        assertThat(Main.commandLine(environment).getSubcommands().keySet()).containsAll(words);
    }

    @Test
    void printsATokenThatTheControlPlaneTakes(@TempDir Path state) throws Exception {
        var key = JoinKey.openOrCreate(state.resolve("join.key"), new SecureRandom());
        var printed = new ByteArrayOutputStream();
        var before = System.out;
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        int status;
        try {
            status = execute("token", "checkout", "--state", state.toString());
        } finally {
            System.setOut(before);
        }

        assertThat(status).isZero();
        assertThat(printed.toString(StandardCharsets.UTF_8).strip())
                .isEqualTo(key.mint("default", "checkout").text());
    }

    @Test
    void saysInOneLineWhereTheKeyShouldBe(@TempDir Path state) {
        assertThat(execute("token", "checkout", "--state", state.toString())).isEqualTo(1);
        assertThat(err.toString())
                .contains("join.key: cannot be read; start the control plane")
                .hasLineCount(1);
    }

    @Test
    void saysWhereTheRootsShouldBeToFetchAnIdentity(@TempDir Path state) {
        assertThat(execute(
                        "identity", "fetch", "--state", state + "", "--service", "checkout", "--out", state + "/out"))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("root.pem: cannot be read; start the control plane")
                .hasLineCount(1);
    }

    @Test
    void findsTheStateFolderByTheEnvironmentUnlessItIsNamed(@TempDir Path state) {
        environment.put("BODYGUARD_STATE", state.resolve("told") + "");

        for (var command : List.of(
                List.of("status"),
                List.of("check"),
                List.of("explain", "--from", "checkout", "--to", "http://payment-service/pay"),
                List.of("token", "checkout"),
                List.of("identity", "fetch", "--service", "checkout", "--out", "out"))) {
            assertThat(wayOutOf(command)).as("%s", command).contains(state.resolve("told") + "");

            var named = new ArrayList<>(command);
            named.addAll(List.of("--state", state.resolve("named") + ""));
            assertThat(wayOutOf(named)).as("%s", named).contains(state.resolve("named") + "");
        }
    }

    @Test
    void refusesAnAddressOfIdentityThatIsNone() {
        environment.put("BODYGUARD_IDENTITY", "somewhere");

        assertThat(wayOutOf(List.of("identity", "fetch", "--service", "checkout", "--out", "out")))
                .contains("--identity must be HOST:PORT, such as 127.0.0.1:15013, was 'somewhere'");
    }

    @Test
    void looksWhereRunWorksByDefaultAndSaysHowToNameAnotherFolder() {
        environment.put("BODYGUARD_STATE", "");

        assertThat(wayOutOf(List.of("status")))
                .startsWith("bodyguard: .bodyguard: there is no such folder; name the control plane's"
                        + " state folder by --state or BODYGUARD_STATE");
        var explain = Objects.requireNonNull(
                Main.commandLine(environment).getSubcommands().get("explain"));
        assertThat(explain.getUsageMessage().replaceAll("\\s+", " "))
                .contains("(default: what BODYGUARD_STATE names, else ./.bodyguard)");
    }

    private String wayOutOf(List<String> command) {
        err.getBuffer().setLength(0);
        assertThat(execute(command.toArray(String[]::new))).isEqualTo(1);
        return err.toString();
    }

    @Test
    void refusesADurationWithoutAUnit() {
        assertThat(execute("demo", "--for", "30")).isEqualTo(2);
        assertThat(err.toString()).contains("must be a number and ms, s, m or h, was '30'");
    }

    @Test
    void readsDurations() {
        var spans = new DemoCommand.Spans();

        assertThat(spans.convert("250ms")).isEqualTo(Duration.ofMillis(250));
        assertThat(spans.convert("5m")).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void refusesToSendLessThanOneRequest() {
        assertThat(execute("demo", "--requests", "0")).isEqualTo(1);
        assertThat(err.toString()).contains("--requests must be 1 or more, was 0");
    }
}
