package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.TrustBundle;
import java.security.cert.X509Certificate;
import java.util.List;

/// Who signs our requests.
interface Issuer {
    Issued sign(byte[] csr) throws Failed;

    record Issued(List<X509Certificate> chain, TrustBundle bundle) {
        public Issued {
            chain = List.copyOf(chain);
        }
    }

    /// Not this time; the message says why.
    final class Failed extends Exception {
        private static final long serialVersionUID = 1L;

        Failed(String why, Throwable cause) {
            super(why, cause);
        }

        Failed(String why) {
            super(why);
        }
    }
}
