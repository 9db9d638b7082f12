package dev.bodyguard.identity.spiffe;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/// What a workload proves itself with: its key, the chain that names it, and the roots it trusts in return.
///
/// @param chain leaf first, without the root
/// @param issuedAt when it was handed out; a leaf's `notBefore` lies earlier, for clocks that are behind
public record Svid(SpiffeId id, PrivateKey key, List<X509Certificate> chain, TrustBundle bundle, Instant issuedAt) {
    public Svid {
        Objects.requireNonNull(id);
        Objects.requireNonNull(key);
        Objects.requireNonNull(bundle);
        Objects.requireNonNull(issuedAt);
        chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("the SVID of " + id + " has no certificate");
        }
        if (!(SvidVerifier.idOf(chain.getFirst()) instanceof Verdict.Trusted(var named)) || !named.equals(id)) {
            throw new IllegalArgumentException("the certificate does not name " + id);
        }
    }

    public X509Certificate leaf() {
        return chain.getFirst();
    }

    public Instant expiresAt() {
        return leaf().getNotAfter().toInstant();
    }

    /// Serial number in hexadecimal, as logs and the authority's journal write it.
    public String serial() {
        return leaf().getSerialNumber().toString(16);
    }

    /// Without the key.
    @Override
    public String toString() {
        return id + " serial " + serial() + " until " + expiresAt();
    }
}
