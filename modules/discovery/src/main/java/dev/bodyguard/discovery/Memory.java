package dev.bodyguard.discovery;

import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Registrations in a file, so that a restart of discovery does not look like the end of every workload.
///
/// @param file rewritten as a whole, in one step
record Memory(Path file) {
    private static final int PATIENCE_MILLIS = 300;

    /// Replaces what was remembered.
    void write(List<Workload> workloads) throws IOException {
        var bytes = new ByteArrayOutputStream();
        for (Workload workload : workloads) {
            workload.writeDelimitedTo(bytes);
        }
        PrivateFiles.write(file, bytes.toByteArray());
    }

    List<Workload> read() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        var in = new ByteArrayInputStream(Files.readAllBytes(file));
        var workloads = new ArrayList<Workload>();
        for (Workload next = Workload.parseDelimitedFrom(in); next != null; next = Workload.parseDelimitedFrom(in)) {
            workloads.add(next);
        }
        return workloads;
    }

    /// Those that still listen where peers would dial them: after a restart of the whole machine nobody does.
    static List<Workload> answering(List<Workload> workloads) throws InterruptedException {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var asked = new ArrayList<Future<Boolean>>();
            workloads.forEach(workload -> asked.add(threads.submit(() -> answers(workload))));
            var answering = new ArrayList<Workload>();
            for (int i = 0; i < workloads.size(); i++) {
                if (asked.get(i).get()) {
                    answering.add(workloads.get(i));
                }
            }
            return answering;
        } catch (ExecutionException defect) {
            throw new IllegalStateException(defect);
        }
    }

    private static boolean answers(Workload workload) {
        return workload.getPortsMap().values().stream().anyMatch(port -> {
            try (var socket = new Socket()) {
                socket.connect(
                        new InetSocketAddress(InetAddress.ofLiteral(workload.getAddress()), port), PATIENCE_MILLIS);
                return true;
            } catch (IOException | IllegalArgumentException _) {
                return false;
            }
        });
    }
}
