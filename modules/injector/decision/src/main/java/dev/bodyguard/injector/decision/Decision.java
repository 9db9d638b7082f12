package dev.bodyguard.injector.decision;

import java.util.List;

/// What becomes of a pod.
public sealed interface Decision {
    /// It gets a sidecar.
    ///
    /// @param edits in the order in which they are to be made
    /// @param warnings what its author should know, one sentence each
    record Injected(List<Edit> edits, List<String> warnings) implements Decision {
        public Injected {
            edits = List.copyOf(edits);
            warnings = List.copyOf(warnings);
        }
    }

    /// Nobody asked for one, or somebody declined.
    record NotAsked(String why) implements Decision {}

    /// It has one.
    ///
    /// @param revision of the injector that gave it
    record Already(String revision) implements Decision {}

    /// It should get one and cannot; it must not run without.
    record Refused(String reason, String wayOut) implements Decision {
        public String sentence() {
            return reason + "; " + wayOut;
        }
    }
}
