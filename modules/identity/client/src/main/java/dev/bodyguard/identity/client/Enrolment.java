package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.JoinToken;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Who a workload wants to be, and what it shows for it.
///
/// @param token asked for at each renewal
/// @param roots what the mesh's root is known to be beforehand (`root.pem`); a kept SVID of another root is dropped
/// @param life wished for; zero leaves it to the authority
/// @param keptIn folder that keeps the SVID over a restart, null to keep it in memory only
public record Enrolment(
        SpiffeId id,
        Token token,
        TrustBundle roots,
        Duration life,
        @Nullable Path keptIn) {
    public Enrolment {
        Objects.requireNonNull(token);
        Objects.requireNonNull(roots);
        if (id.namespace() == null || id.serviceAccount() == null) {
            throw new IllegalArgumentException("a workload is a service account, /ns/<namespace>/sa/<name>, not " + id);
        }
        if (life.isNegative() || (!life.isZero() && life.compareTo(Duration.ofSeconds(10)) < 0)) {
            throw new IllegalArgumentException("a certificate's life must be PT10S or more, was " + life);
        }
    }

    /// Where the join token comes from, such as its file.
    @FunctionalInterface
    public interface Token {
        JoinToken read() throws IOException;

        static Token in(Path file) {
            return () -> JoinToken.read(file);
        }
    }
}
