package dev.bodyguard.identity.authority;

import dev.bodyguard.identity.spiffe.SpiffeId;
import java.io.IOException;
import java.time.Instant;
import java.util.Objects;

/// What an authority has signed, in order. An entry is written before the certificate leaves.
public interface Journal {
    void issued(Entry entry) throws IOException;

    /// One certificate.
    ///
    /// @param serial hexadecimal
    record Entry(Instant at, SpiffeId id, String serial, Instant until) {
        public Entry {
            Objects.requireNonNull(at);
            Objects.requireNonNull(id);
            Objects.requireNonNull(serial);
            Objects.requireNonNull(until);
        }

        /// `2026-01-01T00:00:00Z spiffe://cluster.local/ns/default/sa/checkout serial 1f until 2026-01-02T00:00:00Z`
        @Override
        public String toString() {
            return at + " " + id + " serial " + serial + " until " + until;
        }
    }
}
