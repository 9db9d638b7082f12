package dev.bodyguard.identity.spiffe;

import java.util.Objects;

/// Whether a peer's certificate proves who it is, and that this is somebody we accept.
public sealed interface Verdict {
    /// The chain proves this id.
    record Trusted(SpiffeId id) implements Verdict {
        public Trusted {
            Objects.requireNonNull(id);
        }
    }

    /// Not somebody we accept, or nobody provable.
    ///
    /// @param sentence for a log line: what was presented, what was expected, both clocks where time is the reason
    record Refused(Reason reason, String sentence) implements Verdict {
        public Refused {
            Objects.requireNonNull(reason);
            Objects.requireNonNull(sentence);
        }
    }

    /// Why, for counters.
    enum Reason {
        NO_CERTIFICATE,
        EXPIRED,
        NOT_YET_VALID,
        /// The chain leads to no root of ours.
        UNKNOWN_ROOT,
        OTHER_TRUST_DOMAIN,
        /// Proven, but not whom we look for.
        WRONG_NAME,
        /// Not an X.509-SVID, or a broken one.
        MALFORMED
    }
}
