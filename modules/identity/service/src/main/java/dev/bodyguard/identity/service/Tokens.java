package dev.bodyguard.identity.service;

import java.util.Objects;

/// Who a token speaks for. Asked on any thread, and may take seconds.
public sealed interface Tokens permits JoinTokens, ClusterTokens {
    /// Judges what a stranger sent.
    ///
    /// @param from the address it came from
    Admission judge(String token, String from);

    /// The answer. No sentence holds the token.
    sealed interface Admission {}

    /// It speaks for a service account.
    ///
    /// @param bearer who holds it, as far as is known, for a log line; may be empty
    record Admitted(String namespace, String serviceAccount, String bearer) implements Admission {
        public Admitted {
            Objects.requireNonNull(namespace);
            Objects.requireNonNull(serviceAccount);
            Objects.requireNonNull(bearer);
        }
    }

    /// It speaks for nobody.
    record Refused(String sentence) implements Admission {
        public Refused {
            Objects.requireNonNull(sentence);
        }
    }

    /// Nobody can tell now; worth another try.
    record Unknown(String sentence) implements Admission {
        public Unknown {
            Objects.requireNonNull(sentence);
        }
    }
}
