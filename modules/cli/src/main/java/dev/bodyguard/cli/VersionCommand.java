package dev.bodyguard.cli;

import picocli.CommandLine.Command;

/// `bodyguard version`.
@Command(name = "version", description = "Prints the version.", mixinStandardHelpOptions = true)
final class VersionCommand implements Runnable {
    @Override
    public void run() {
        System.out.println(Version.text() + " (Java " + Runtime.version() + ")");
    }
}
