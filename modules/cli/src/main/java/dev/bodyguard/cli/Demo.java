package dev.bodyguard.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A mesh on one machine: a control plane, checkout, three payment-services, a sidecar process beside each, and
/// callers from outside.
final class Demo implements Supervisor.Events {
    private static final String CONTROL_PLANE = "control-plane";
    private static final Duration PATIENCE = Duration.ofSeconds(45);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);
    private static final Duration PATIENCE_FOR_SPANS = Duration.ofSeconds(3);
    private static final Duration BETWEEN_ROWS = Duration.ofSeconds(1);

    record Settings(
            boolean json,
            @Nullable Path state,
            Wording wording,
            long requests,
            Duration forThatLong,
            int perSecond,
            Duration restartAfter,
            String traceSampling,
            List<String> traceExports) {
        Settings {
            traceExports = List.copyOf(traceExports);
        }
    }

    private final Installation installation;
    private final Settings settings;
    private final PrintStream out;
    private final PrintStream err;
    private final boolean terminal = Boolean.getBoolean("bodyguard.terminal");
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            // The environment may name a proxy for other programs; the entry is called from outside the mesh.
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(Duration.ofSeconds(5))
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();

    private final Workload checkout;
    private final List<Workload> workloads;
    private final Map<String, Integer> controlPorts = new LinkedHashMap<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Folders folders;
    private volatile @Nullable Supervisor supervisor;
    private volatile boolean stopping;
    private volatile boolean ready;

    Demo(Installation installation, Settings settings, PrintStream out, PrintStream err) {
        this.installation = installation;
        this.settings = settings;
        this.out = out;
        this.err = err;
        var ports = new Ports(new SecureRandom());
        for (var server : List.of("xds", "identity", "discovery", "telemetry", "otlp", "admin")) {
            controlPorts.put(server, ports.next());
        }
        checkout = Workload.of("checkout", "v1", "checkout-v1", ports);
        workloads = List.of(
                checkout,
                Workload.of("payment-service", "v1", "payment-service-v1", ports),
                Workload.of("payment-service", "v2", "payment-service-v2-a", ports),
                Workload.of("payment-service", "v2", "payment-service-v2-b", ports));
    }

    /// Runs to its end. A signal ends it early, and the process only after everything it started.
    void run() {
        var main = Thread.currentThread();
        var onSignal = Thread.ofPlatform().name("signal").unstarted(() -> {
            stopping = true;
            main.interrupt();
            awaitEnd();
        });
        Runtime.getRuntime().addShutdownHook(onSignal);
        try {
            runUntilStopped();
        } catch (InterruptedException _) {
            // A signal while it started.
        } finally {
            ended.countDown();
        }
    }

    private void awaitEnd() {
        try {
            if (!ended.await(30, TimeUnit.SECONDS)) {
                err.println("bodyguard: some process did not end in time");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void runUntilStopped() throws InterruptedException {
        try (var state = Folders.open(settings.state(), installation.mesh(settings.wording()));
                var processes = new Supervisor(settings.restartAfter(), this)) {
            folders = state;
            supervisor = processes;
            try {
                start(state, processes);
                drive(state);
            } catch (InterruptedException signal) {
                if (!stopping) {
                    throw signal;
                }
            } finally {
                // The hook's interrupt has done its work; what follows must not be cut short by it.
                var _ = Thread.interrupted();
                say("stopping");
                processes.stop(CONTROL_PLANE);
                done();
            }
        }
    }

    // --- Starting -------------------------------------------------------------------------------------------------

    private void start(Folders state, Supervisor processes) throws InterruptedException {
        say("starting the control plane");
        processes.start(controlPlane(state));
        for (var workload : workloads) {
            processes.start(app(workload, state));
        }
        awaitAll(
                processes,
                List.of(CONTROL_PLANE),
                "the control plane to be ready",
                () -> Files.exists(state.controlPlaneFile())
                        && Files.exists(state.state().resolve("root.pem")));
        say("starting " + workloads.size() + " sidecars");
        for (var workload : workloads) {
            processes.start(sidecar(workload, state));
        }
        for (var workload : workloads) {
            awaitAll(
                    processes,
                    names(),
                    workload.sidecar() + " to be ready",
                    () -> answers(workload.adminUrl("/healthz/ready")) && answers(workload.appUrl("/healthz")));
        }
        say("waiting for the first payment");
        awaitAll(processes, names(), "the first payment through the mesh", () -> answers(entry()));
        ready = true;
        writeMeshFile();
        done();
    }

    private Launch controlPlane(Folders state) {
        var arguments = new ArrayList<String>();
        arguments.addAll(
                List.of("-f", state.mesh().toString(), "--state", state.state().toString()));
        controlPorts.forEach((server, port) -> arguments.addAll(List.of("--" + server + "-port", port.toString())));
        settings.traceExports().forEach(export -> arguments.addAll(List.of("--trace-export", export)));
        return new Launch(
                CONTROL_PLANE,
                installation.process("run", arguments),
                Map.of(),
                List.copyOf(controlPorts.values()),
                state.log(CONTROL_PLANE));
    }

    private Launch app(Workload workload, Folders state) {
        var arguments = new ArrayList<>(List.of("--addr", Workload.address(workload.app())));
        if (!workload.equals(checkout)) {
            arguments.addAll(List.of("--version", workload.version()));
        }
        return new Launch(
                workload.name(),
                installation.sample(workload.service(), arguments),
                workload.environment(),
                List.of(workload.app()),
                state.log(workload.name()));
    }

    private Launch sidecar(Workload workload, Folders state) {
        return new Launch(
                workload.sidecar(),
                installation.process(
                        "sidecar", workload.sidecarArguments(state.state().toString(), settings.traceSampling())),
                Map.of(),
                List.of(workload.inbound(), workload.outbound(), workload.admin()),
                state.log(workload.sidecar()));
    }

    private List<String> names() {
        var names = new ArrayList<>(List.of(CONTROL_PLANE));
        for (var workload : workloads) {
            names.addAll(List.of(workload.name(), workload.sidecar()));
        }
        return names;
    }

    private interface Condition {
        boolean holds() throws InterruptedException;
    }

    private void awaitAll(Supervisor processes, List<String> names, String what, Condition condition)
            throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            processes.checkAlive(names);
            if (stopping) {
                throw new InterruptedException();
            }
            if (System.nanoTime() > deadline) {
                throw new Failure("waited " + PATIENCE.toSeconds() + " s in vain for " + what + whereToLook());
            }
            Thread.sleep(BETWEEN_LOOKS);
        }
    }

    /// The last words of every process: a temporary folder is gone when this is read.
    private String whereToLook() {
        var state = folders;
        if (state == null) {
            return "";
        }
        var newLine = System.lineSeparator();
        if (!state.temporary()) {
            return "; logs are in " + state.logs();
        }
        var text = new StringBuilder();
        for (var name : names()) {
            text.append(newLine).append(name).append(':').append(newLine).append(Supervisor.tail(state.log(name)));
        }
        return text.toString();
    }

    private boolean answers(URI url) throws InterruptedException {
        try {
            var request =
                    HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(6)).build();
            HttpResponse<Void> response = http.send(request, BodyHandlers.discarding());
            return response.statusCode() == 200;
        } catch (IOException _) {
            return false;
        }
    }

    // --- Driving --------------------------------------------------------------------------------------------------

    private URI entry() {
        return checkout.appUrl("/");
    }

    private URI summary() {
        return URI.create("http://" + Workload.address(controlPorts.getOrDefault("telemetry", 0)) + "/api/summary");
    }

    private void drive(Folders state) throws InterruptedException {
        var scrapes = new Scrapes(
                http, workloads.stream().map(w -> w.adminUrl("/metrics")).toList(), summary());
        scrapes.read();
        var table = new Table(settings.json() ? err : out, terminal);
        (settings.json() ? err : out)
                .println("entry " + entry() + "   summary " + summary() + "   rules "
                        + state.mesh().resolve("payments.yaml")
                        + (settings.requests() == Long.MAX_VALUE ? "   Ctrl-C ends it" : ""));
        var traffic = new Traffic(http, entry(), settings.requests(), settings.forThatLong(), settings.perSecond());
        traffic.start();
        try {
            while (!traffic.await(BETWEEN_ROWS)) {
                scrapes.read();
                table.show(traffic.progress(scrapes));
            }
        } finally {
            traffic.stop();
            var _ = Thread.interrupted();
            if (!stopping && Double.parseDouble(settings.traceSampling()) > 0) {
                // Both sidecars of a request tell of it.
                scrapes.awaitSpans(2 * traffic.finished(), PATIENCE_FOR_SPANS);
            }
            scrapes.read();
            var result = traffic.progress(scrapes);
            table.show(result);
            table.close();
            if (settings.json()) {
                out.println(result.json());
                out.flush();
            }
        }
    }

    // --- Telling --------------------------------------------------------------------------------------------------

    private void say(String what) {
        if (terminal) {
            err.print("\rbodyguard: " + what + " …\u001b[K");
            err.flush();
        } else {
            err.println("bodyguard: " + what);
        }
    }

    private void done() {
        if (terminal) {
            err.print("\r\u001b[K");
            err.flush();
        }
    }

    @Override
    public void ended(String name, int status, Duration restartAfter) {
        if (ready) {
            err.println("bodyguard: " + name + " ended with status " + status + "; starting it again in "
                    + restartAfter.toMillis() / 1000.0 + " s");
        }
    }

    @Override
    public void restarted(String name, long pid) {
        if (ready) {
            err.println("bodyguard: " + name + " runs again as pid " + pid);
            writeMeshFile();
        }
    }

    @Override
    public void notRestarted(String name, String why) {
        err.println("bodyguard: " + name + " was not started again: " + why);
    }

    private void writeMeshFile() {
        var state = folders;
        var processes = supervisor;
        if (state == null || processes == null) {
            return;
        }
        var control = new LinkedHashMap<String, Object>();
        control.put("pid", processes.process(CONTROL_PLANE).pid());
        controlPorts.forEach((server, port) -> control.put(server, Workload.address(port)));
        var mesh = new LinkedHashMap<String, Object>();
        mesh.put("entry", entry().toString());
        mesh.put("controlPlane", control);
        mesh.put(
                "workloads",
                workloads.stream()
                        .map(w -> w.described(
                                processes.process(w.name()).pid(),
                                processes.process(w.sidecar()).pid()))
                        .toList());
        state.replace(state.meshFile(), Json.write(mesh) + System.lineSeparator());
    }
}
