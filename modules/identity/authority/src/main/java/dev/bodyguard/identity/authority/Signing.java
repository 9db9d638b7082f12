package dev.bodyguard.identity.authority;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/// The answer to a certificate signing request.
public sealed interface Signing {
    /// Signed.
    ///
    /// @param chain leaf first, without the root
    /// @param serial hexadecimal
    record Signed(List<X509Certificate> chain, String serial, Instant until) implements Signing {
        public Signed {
            chain = List.copyOf(chain);
            Objects.requireNonNull(serial);
            Objects.requireNonNull(until);
        }
    }

    /// Not a request this authority signs; the sentence says why.
    record Rejected(String sentence) implements Signing {
        public Rejected {
            Objects.requireNonNull(sentence);
        }
    }
}
