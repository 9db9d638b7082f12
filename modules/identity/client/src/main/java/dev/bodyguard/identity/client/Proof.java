package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/// What a service of the control plane shows to join its mesh, and the roots by which it knows identity.
public sealed interface Proof {
    /// Which one environment variables mean.
    ///
    /// @param token `BODYGUARD_TOKEN`, or nothing
    /// @param root `BODYGUARD_ROOT`, or nothing
    static Proof of(Path state, String token, String root) {
        if (token.isEmpty() && root.isEmpty()) {
            return new InState(state);
        }
        if (token.isEmpty() || root.isEmpty()) {
            throw new IllegalArgumentException((token.isEmpty() ? "BODYGUARD_TOKEN" : "BODYGUARD_ROOT")
                    + " is not set: whoever joins by a Kubernetes token names the token's file and that of the roots");
        }
        return new InFiles(Path.of(token), Path.of(root));
    }

    /// The roots to know identity by, now.
    ///
    /// @throws IOException with a sentence for people
    TrustBundle roots(String trustDomain, Logger log) throws IOException, InterruptedException;

    /// The token of a service account, read anew whenever it is asked for.
    ///
    /// @throws IOException with a sentence for people, where there surely is none
    Enrolment.Token token(String serviceAccount) throws IOException;

    /// The folder that identity writes: `root.pem` and `join/<account>.bodyguard-system.token`.
    record InState(Path folder) implements Proof {
        public InState {
            Objects.requireNonNull(folder);
        }

        @Override
        public TrustBundle roots(String trustDomain, Logger log) throws IOException {
            return TrustBundle.read(trustDomain, required(folder.resolve("root.pem")));
        }

        @Override
        public Enrolment.Token token(String serviceAccount) throws IOException {
            return Enrolment.Token.in(
                    required(folder.resolve("join").resolve(serviceAccount + "." + Membership.NAMESPACE + ".token")));
        }

        private static Path required(Path file) throws IOException {
            if (!Files.exists(file)) {
                throw new IOException(
                        file + " does not exist; start identity first, or copy the file from its state folder");
            }
            return file;
        }
    }

    /// Files that a Kubernetes cluster keeps: the token of the pod's own service account, and the roots, which are
    /// waited
    /// for since identity writes them once it runs.
    record InFiles(Path token, Path root) implements Proof {
        private static final Duration PATIENCE = Duration.ofSeconds(60);
        private static final Duration LOOK_AGAIN = Duration.ofMillis(200);

        public InFiles {
            Objects.requireNonNull(token);
            Objects.requireNonNull(root);
        }

        @Override
        public TrustBundle roots(String trustDomain, Logger log) throws IOException, InterruptedException {
            var until = System.nanoTime() + PATIENCE.toNanos();
            if (!Files.exists(root)) {
                log.log(
                        Level.INFO,
                        "waiting for the mesh's roots in " + root + ", " + PATIENCE.toSeconds() + " s at most");
            }
            while (!Files.exists(root)) {
                if (System.nanoTime() - until > 0) {
                    throw new IOException(root + " does not exist after " + PATIENCE.toSeconds()
                            + " s; identity writes it where it runs: look at its log");
                }
                Thread.sleep(LOOK_AGAIN);
            }
            return TrustBundle.read(trustDomain, root);
        }

        @Override
        public Enrolment.Token token(String serviceAccount) {
            return Enrolment.Token.in(token);
        }
    }
}
