package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Limits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Whom a sidecar speaks for, and what it was told about its place.
sealed interface Settings permits Standalone, InPod {
    /// The service this workload belongs to, in short.
    String service();

    String namespace();

    /// This instance's name, unique in its namespace.
    String workload();

    String serviceAccount();

    /// What routing rules can ask of it.
    Map<String, String> labels();

    /// Ports of the app that it is known to listen on.
    List<Integer> appPorts();

    /// How connections come to it, in Istio's words; `NONE` where the kernel hands nothing over.
    String interceptionMode();

    /// The folder of the app's own certificates, each in a folder of its name.
    Path certificates();

    /// The workload's IP address.
    String address();

    /// The folder for what is to survive a restart.
    Path state();

    /// Wished life of a certificate; zero leaves it to the authority.
    Duration ttl();

    /// Share of traces beginning here of which spans are sent, 0 to 1.
    double traceSampling();

    /// Whether a line per exchange goes to stdout.
    boolean accessLog();

    /// What one peer may ask of it.
    Limits limits();

    /// What a process was started for.
    sealed interface Asked {
        record Run(Settings settings) implements Asked {}

        record Help() implements Asked {}

        /// Nothing can be started so.
        ///
        /// @param sentence what is wrong and the way out
        record Mistake(String sentence) implements Asked {}
    }

    /// In a pod whoever injected the sidecar has told it everything by its environment; elsewhere the command line
    /// does.
    static Asked from(List<String> args, Map<String, String> environment) {
        if (!args.isEmpty() || !environment.containsKey("POD_NAME")) {
            return Standalone.from(args, environment);
        }
        try {
            return new Asked.Run(InPod.from(environment));
        } catch (IllegalArgumentException wrong) {
            return new Asked.Mistake("bodyguard sidecar: in a pod: " + wrong.getMessage());
        }
    }
}
