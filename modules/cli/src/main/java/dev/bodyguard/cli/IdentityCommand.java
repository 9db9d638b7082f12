package dev.bodyguard.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `bodyguard identity …`: certificates for whoever joins the mesh without our sidecar.
@Command(
        name = "identity",
        description = "Certificates for programs that join the mesh without its sidecar: Envoy, proxyless gRPC.",
        mixinStandardHelpOptions = true,
        subcommands = FetchCommand.class)
final class IdentityCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before anything here runs
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }
}
