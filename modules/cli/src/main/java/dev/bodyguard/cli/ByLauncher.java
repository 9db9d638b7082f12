package dev.bodyguard.cli;

import picocli.CommandLine.Command;

/// Commands that are processes of their own: the launcher starts them without coming through here. They are listed so
/// that help shows them.
final class ByLauncher {
    private ByLauncher() {}

    private static Failure notHere(String command) {
        return new Failure("'" + command + "' is started by the launcher script: ./bodyguard " + command);
    }

    @Command(
            name = "run",
            description = "Runs the control plane on this machine, from a directory of YAML: run -f DIR --state DIR.")
    static final class Run implements Runnable {
        @Override
        public void run() {
            throw notHere("run");
        }
    }

    @Command(
            name = "service",
            description = "Runs one service of the control plane as a process of its own: service"
                    + " identity|discovery|config|telemetry|injector. Each tells with --help which variables it reads.")
    static final class Service implements Runnable {
        @Override
        public void run() {
            throw notHere("service");
        }
    }

    @Command(
            name = "sidecar",
            description = "Runs a sidecar beside an unmodified command: sidecar --service NAME --version V"
                    + " --app-port N --state DIR -- COMMAND.")
    static final class Sidecar implements Runnable {
        @Override
        public void run() {
            throw notHere("sidecar");
        }
    }

    @Command(
            name = "train",
            description = "Makes sidecars start faster: runs one, and keeps what it had to load in a file.")
    static final class Train implements Runnable {
        @Override
        public void run() {
            throw notHere("train");
        }
    }
}
