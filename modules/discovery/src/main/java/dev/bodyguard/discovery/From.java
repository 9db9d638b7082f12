package dev.bodyguard.discovery;

import dev.bodyguard.service.Keys;
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

    /// What `BODYGUARD_SOURCE` can say.
    enum Kind {
        FILES,
        KUBERNETES
    }

    /// What the environment says: `BODYGUARD_SOURCE`, and for files `BODYGUARD_FILES`.
    static From told(Keys keys) {
        return switch (keys.choice("BODYGUARD_SOURCE", Kind.FILES)) {
            case FILES -> new Files(keys.path("BODYGUARD_FILES", "the directory with the mesh's YAML"));
            case KUBERNETES -> new Kubernetes();
        };
    }
}
