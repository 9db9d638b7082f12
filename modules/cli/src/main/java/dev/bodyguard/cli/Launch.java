package dev.bodyguard.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// How to start one process, again and again the same way: on the same ports, into the same log.
record Launch(String name, List<String> command, Map<String, String> environment, List<Integer> ports, Path log) {
    Launch {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
        ports = List.copyOf(ports);
    }
}
