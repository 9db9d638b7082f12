package dev.bodyguard.proxy.engine;

import java.util.List;
import java.util.Set;

/// How an endpoint is spoken to.
public sealed interface Transport {
    /// TLS 1.3 with our own identity, HTTP/2 inside.
    ///
    /// @param accepted SPIFFE ids of which the peer must present one; empty accepts nobody
    record Mtls(Set<String> accepted, String sni, List<String> alpn) implements Transport {
        public Mtls {
            accepted = Set.copyOf(accepted);
            alpn = List.copyOf(alpn);
        }
    }

    /// No TLS.
    ///
    /// @param http2 whether HTTP/2 with prior knowledge is spoken; HTTP/1.1 otherwise
    record Plaintext(boolean http2) implements Transport {}
}
