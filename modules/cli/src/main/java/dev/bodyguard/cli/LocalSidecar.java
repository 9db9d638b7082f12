package dev.bodyguard.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A sidecar of this machine, by what it wrote into the state folder when it started.
///
/// @param name of its workload
/// @param inbound where peers reach it
record LocalSidecar(String name, String spiffeId, long pid, String admin, String inbound) {
    static List<LocalSidecar> in(Path state) {
        var folder = state.resolve("sidecars");
        var found = new ArrayList<LocalSidecar>();
        if (!Files.isDirectory(folder)) {
            return found;
        }
        try (var workloads = Files.list(folder)) {
            for (var workload : workloads.sorted().toList()) {
                var told = LocalMesh.file(workload.resolve("sidecar.json"));
                if (!told.isEmpty()) {
                    found.add(new LocalSidecar(
                            String.valueOf(workload.getFileName()),
                            LocalMesh.text(told, "spiffeId"),
                            LocalMesh.number(told, "pid"),
                            LocalMesh.text(told, "admin"),
                            LocalMesh.text(told, "inbound")));
                }
            }
            return found;
        } catch (IOException unreadable) {
            throw new Failure(folder + " cannot be read: " + unreadable.getMessage());
        }
    }

    /// The one that is meant by a workload's name, a service's, or `service.namespace`.
    static LocalSidecar called(String wanted, Path state, List<LocalSidecar> all) {
        var running = all.stream().filter(LocalSidecar::isAlive).toList();
        for (var one : running) {
            if (one.name.equals(wanted)) {
                return one;
            }
        }
        var serving = running.stream()
                .filter(one -> one.service().equals(wanted) || (one.service() + "." + one.namespace()).equals(wanted))
                .toList();
        if (serving.isEmpty()) {
            throw new Failure("no sidecar of '" + wanted + "' runs on " + state + "; there "
                    + (running.isEmpty()
                            ? "is none at all"
                            : running.stream()
                                    .map(one -> one.name + " (service " + one.service() + ")")
                                    .collect(Collectors.joining(", ", "are ", ""))));
        }
        var namespaces =
                serving.stream().map(LocalSidecar::namespace).distinct().toList();
        if (namespaces.size() > 1) {
            throw new Failure("'" + wanted + "' is a service of the namespaces " + String.join(", ", namespaces)
                    + "; say which, such as " + wanted + "." + namespaces.getFirst());
        }
        return serving.getFirst();
    }

    boolean isAlive() {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    String service() {
        return after("/sa/");
    }

    String namespace() {
        return after("/ns/");
    }

    private String after(String word) {
        int at = spiffeId.indexOf(word);
        if (at < 0) {
            return "";
        }
        int from = at + word.length();
        int end = spiffeId.indexOf('/', from);
        return end < 0 ? spiffeId.substring(from) : spiffeId.substring(from, end);
    }
}
