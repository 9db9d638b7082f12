package dev.bodyguard.cli;

import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// The command `bodyguard`, less `run`, `sidecar` and `service`: those are processes of their own, started by the
/// launcher.
@Command(
        name = "bodyguard",
        description =
                "A service mesh: mutual TLS, retries, canary routing and metrics for services that know nothing of it.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            DemoCommand.class,
            ByLauncher.Run.class,
            ByLauncher.Sidecar.class,
            ByLauncher.Service.class,
            ByLauncher.Train.class,
            StatusCommand.class,
            CheckCommand.class,
            ExplainCommand.class,
            InstallCommand.class,
            UninstallCommand.class,
            InjectCommand.class,
            UninjectCommand.class,
            TokenCommand.class,
            IdentityCommand.class,
            VersionCommand.class
        })
final class Main implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before anything here runs
    private CommandSpec spec;

    private Main() {}

    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }

    static CommandLine commandLine(Map<String, String> environment) {
        var line = new CommandLine(new Main());
        line.setDefaultValueProvider(new Environment(environment));
        return line.setExecutionExceptionHandler((failure, command, parsed) -> {
            if (failure instanceof Failure expected) {
                command.getErr().println("bodyguard: " + expected.getMessage());
                return 1;
            }
            throw failure;
        });
    }

    public static void main(String[] args) {
        System.exit(commandLine(System.getenv()).execute(args));
    }
}
