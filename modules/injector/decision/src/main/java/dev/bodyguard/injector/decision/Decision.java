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

    /// It is another control plane's, if there is one.
    ///
    /// @param by what says so
    /// @param revision that it asks for
    /// @param ours who decides
    record Another(String by, String revision, String ours) implements Decision {
        /// Where nobody serves that revision.
        public String unserved() {
            return by + " asks for a revision that no injector here serves, and there is no sidecar; write "
                    + OptIn.ISTIO_REVISION + "=" + ours + " to have one";
        }
    }

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
