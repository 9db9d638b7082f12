package dev.bodyguard.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/// Says who listens on a port of this machine, as far as Linux shows it to us.
final class PortOwner {
    private static final Path PROC = Path.of("/proc");
    private static final String LISTEN = "0A";

    private PortOwner() {}

    /// `pid 4711 (java -jar shop.jar)`, or a phrase that says that it cannot be told.
    static String of(int port) {
        Set<String> sockets = listeners(port);
        if (!sockets.isEmpty()) {
            try (Stream<Path> processes = Files.list(PROC)) {
                return processes
                        .filter(process -> process.getFileName().toString().matches("[0-9]+"))
                        .filter(process -> holds(process, sockets))
                        .findFirst()
                        .map(process ->
                                process(Long.parseLong(process.getFileName().toString())))
                        .orElse("a process of another user");
            } catch (IOException _) {
                // not Linux, or not for us to see
            }
        }
        return "a process that cannot be told from here";
    }

    /// `pid 4711 (java -jar shop.jar)`
    static String process(long pid) {
        try {
            String command = Files.readString(PROC.resolve(Long.toString(pid)).resolve("cmdline"))
                    .replace('\0', ' ')
                    .strip()
                    .replaceAll("\\p{Cntrl}", "?");
            return "pid " + pid + " (" + (command.length() > 100 ? command.substring(0, 100) + "…" : command) + ")";
        } catch (IOException _) {
            return "pid " + pid;
        }
    }

    /// The sockets that listen on the port: inode numbers, from the kernel's tables.
    private static Set<String> listeners(int port) {
        String local = ":" + String.format(Locale.ROOT, "%04X", port);
        var inodes = new HashSet<String>();
        for (String table : new String[] {"net/tcp", "net/tcp6"}) {
            try (Stream<String> lines = Files.lines(PROC.resolve(table))) {
                lines.map(line -> line.strip().split("\\s+", -1))
                        .filter(row -> row.length > 9 && row[1].endsWith(local) && row[3].equals(LISTEN))
                        .forEach(row -> inodes.add("socket:[" + row[9] + "]"));
            } catch (IOException _) {
                // not Linux
            }
        }
        return inodes;
    }

    private static boolean holds(Path process, Set<String> sockets) {
        try (Stream<Path> files = Files.list(process.resolve("fd"))) {
            return files.anyMatch(file -> {
                try {
                    return sockets.contains(Files.readSymbolicLink(file).toString());
                } catch (IOException _) {
                    return false;
                }
            });
        } catch (IOException _) {
            return false;
        }
    }
}
