package dev.bodyguard.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/// The option `--state DIR` of every command about a mesh that runs on this machine.
final class StateFolder {
    /// Where `bodyguard run` works when nobody names a folder.
    private static final String USUAL = ".bodyguard";

    @Option(
            names = "--state",
            paramLabel = "DIR",
            defaultValue = USUAL,
            description =
                    "The control plane's state folder (default: what BODYGUARD_STATE names, else ./" + USUAL + ").")
    private Path folder = Path.of(USUAL);

    Path folder() {
        return folder;
    }
}
