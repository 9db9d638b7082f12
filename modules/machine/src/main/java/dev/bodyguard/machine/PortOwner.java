package dev.bodyguard.machine;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Who listens on a TCP port of this machine, as far as Linux lets us look.
public final class PortOwner {
    private static final Path PROC = Path.of("/proc");
    private static final String LISTENING = "0A";

    private PortOwner() {}

    /// `pid 4711 (payment-service -port 8080)`; empty where it is another user's process, or nobody.
    public static Optional<String> of(int port) {
        return all(port).stream().findFirst().map(PortOwner::process);
    }

    /// The numbers of all who share it, as a server and its workers do; as far as they are ours to look at. Takes a
    /// moment, since every process of the machine is asked.
    public static List<Long> all(int port) {
        var owners = new ArrayList<Long>();
        Set<String> sockets = listeningSockets(port);
        if (sockets.isEmpty()) {
            return owners;
        }
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                if (holdsAny(process.resolve("fd"), sockets)) {
                    owners.add(Long.parseLong(process.getFileName().toString()));
                }
            }
        } catch (IOException _) {
            // Not Linux, or not ours to read: the port is named without its owner.
        }
        return owners;
    }

    /// `pid 4711 (payment-service -port 8080)`
    public static String process(long pid) {
        return "pid " + pid + " (" + command(PROC.resolve(Long.toString(pid))) + ")";
    }

    /// Inodes, as `/proc/<pid>/fd` links spell them.
    private static Set<String> listeningSockets(int port) {
        var sockets = new HashSet<String>();
        String suffix = String.format(Locale.ROOT, ":%04X", port);
        for (String table : new String[] {"net/tcp", "net/tcp6"}) {
            try {
                for (String line : Files.readAllLines(PROC.resolve(table))) {
                    String[] columns = line.strip().split("\\s+", -1);
                    if (columns.length > 9 && columns[1].endsWith(suffix) && columns[3].equals(LISTENING)) {
                        sockets.add("socket:[" + columns[9] + "]");
                    }
                }
            } catch (IOException _) {
                // As above.
            }
        }
        return sockets;
    }

    private static boolean holdsAny(Path descriptors, Set<String> sockets) {
        try (DirectoryStream<Path> links = Files.newDirectoryStream(descriptors)) {
            for (Path link : links) {
                if (sockets.contains(Files.readSymbolicLink(link).toString())) {
                    return true;
                }
            }
        } catch (IOException _) {
            // Another user's process, or gone meanwhile.
        }
        return false;
    }

    private static String command(Path process) {
        try {
            String line = Files.readString(process.resolve("cmdline"))
                    .replace('\0', ' ')
                    .strip()
                    .replaceAll("\\p{Cntrl}", "?");
            return line.length() <= 120 ? line : line.substring(0, 117) + "…";
        } catch (IOException _) {
            return "command unknown";
        }
    }
}
