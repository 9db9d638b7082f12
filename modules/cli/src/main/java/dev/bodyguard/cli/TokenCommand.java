package dev.bodyguard.cli;

import dev.bodyguard.identity.spiffe.JoinKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `bodyguard token NAME --state DIR`: a join token on standard output.
@Command(
        name = "token",
        description = "Prints a join token for one service, made with the join key of a running control plane.",
        mixinStandardHelpOptions = true)
final class TokenCommand implements Runnable {
    @Parameters(paramLabel = "NAME", description = "The service account, which is the service's name.")
    private @Nullable String name;

    @Option(names = "--state", paramLabel = "DIR", required = true, description = "The control plane's state folder.")
    private @Nullable Path state;

    @Option(names = "--namespace", defaultValue = "default", description = "Its namespace (${DEFAULT-VALUE}).")
    private String namespace = "default";

    @Override
    public void run() {
        if (name == null || state == null) {
            throw new Failure("token needs NAME and --state DIR");
        }
        Path key = state.resolve("join.key");
        if (!Files.isReadable(key)) {
            throw new Failure(key + ": cannot be read; start the control plane with --state " + state
                    + " first, and call this as the same user");
        }
        try {
            System.out.println(JoinKey.read(key).mint(namespace, name).text());
        } catch (IOException | IllegalArgumentException unusable) {
            throw new Failure("no token for '" + name + "': " + unusable.getMessage());
        }
    }
}
