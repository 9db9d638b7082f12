package dev.bodyguard.cli;

import dev.bodyguard.identity.spiffe.JoinKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `bodyguard token NAME`: a join token on standard output.
@Command(
        name = "token",
        description = "Prints a join token for one service, made with the join key of a running control plane.",
        mixinStandardHelpOptions = true)
final class TokenCommand implements Runnable {
    @Parameters(paramLabel = "NAME", description = "The service account, which is the service's name.")
    private @Nullable String name;

    @Mixin
    private StateFolder state = new StateFolder();

    @Option(names = "--namespace", defaultValue = "default", description = "Its namespace (${DEFAULT-VALUE}).")
    private String namespace = "default";

    @Override
    public void run() {
        if (name == null) {
            throw new Failure("token needs NAME");
        }
        Path key = state.folder().resolve("join.key");
        if (!Files.isReadable(key)) {
            throw new Failure(key + ": cannot be read; start the control plane with --state " + state.folder()
                    + " first, and call this as the same user");
        }
        try {
            System.out.println(JoinKey.read(key).mint(namespace, name).text());
        } catch (IOException | IllegalArgumentException unusable) {
            throw new Failure("no token for '" + name + "': " + unusable.getMessage());
        }
    }
}
