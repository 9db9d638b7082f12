package dev.bodyguard.discovery;

import java.nio.file.Path;
import java.util.Objects;

/// Where documents come from.
public sealed interface From {
    /// A directory of YAML and JSON files, watched. Workloads register.
    record Files(Path directory) implements From {
        public Files {
            Objects.requireNonNull(directory);
        }

        @Override
        public String toString() {
            return directory.toString();
        }
    }

    /// The API server of the cluster that this runs in, or of `KUBECONFIG`. Pods are workloads; others may register.
    record Kubernetes() implements From {
        @Override
        public String toString() {
            return "Kubernetes";
        }
    }
}
