package dev.bodyguard.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Who listens on a port, as far as this system tells.
final class PortOwner {
    private static final Path PROC = Path.of("/proc");
    private static final String LISTENING = "0A";
    private static final int LONGEST_COMMAND = 120;

    private PortOwner() {}

    /// One line about a port that is in use.
    static String sentence(int port) {
        var owner = of(port).map(process -> " by pid " + process.pid() + " (" + command(process) + ")")
                .orElse(" by another user's process, or by a connection");
        return "port 127.0.0.1:" + port + " is in use" + owner;
    }

    static Optional<ProcessHandle> of(int port) {
        var sockets = Stream.of("tcp", "tcp6")
                .flatMap(table -> listening(PROC.resolve("net").resolve(table), port))
                .collect(Collectors.toSet());
        return ProcessHandle.allProcesses()
                .filter(process -> holds(process, sockets))
                .findFirst();
    }

    private static Stream<String> listening(Path table, int port) {
        var suffix = String.format(Locale.ROOT, ":%04X", port);
        try {
            return Files.readAllLines(table).stream()
                    .map(line -> line.strip().split("\\s+", -1))
                    .filter(columns ->
                            columns.length > 9 && columns[1].endsWith(suffix) && columns[3].equals(LISTENING))
                    .map(columns -> "socket:[" + columns[9] + "]");
        } catch (IOException _) {
            return Stream.empty();
        }
    }

    private static boolean holds(ProcessHandle process, Set<String> sockets) {
        if (sockets.isEmpty()) {
            return false;
        }
        try (var descriptors =
                Files.list(PROC.resolve(Long.toString(process.pid())).resolve("fd"))) {
            return descriptors.anyMatch(descriptor -> {
                try {
                    return sockets.contains(Files.readSymbolicLink(descriptor).toString());
                } catch (IOException _) {
                    return false;
                }
            });
        } catch (IOException _) {
            return false; // another user's, or gone
        }
    }

    private static String command(ProcessHandle process) {
        try {
            var line = Files.readString(
                            PROC.resolve(Long.toString(process.pid())).resolve("cmdline"))
                    .replace('\0', ' ')
                    .strip();
            return line.length() <= LONGEST_COMMAND ? line : line.substring(0, LONGEST_COMMAND) + "…";
        } catch (IOException _) {
            return process.info().command().orElse("unknown");
        }
    }
}
