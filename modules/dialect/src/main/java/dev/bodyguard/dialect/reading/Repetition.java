package dev.bodyguard.dialect.reading;

import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.StringMatch;
import java.util.List;
import java.util.Set;

/// Whether a request may be repeated although it may have been processed.
public final class Repetition {
    /// RFC 9110 §9.2.2.
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE");

    private Repetition() {}

    /// Whether all requests that match have a method of which a repetition does no harm.
    public static boolean isHarmless(List<HttpMatch> matches) {
        return !matches.isEmpty()
                && matches.stream()
                        .allMatch(match ->
                                match.method() instanceof StringMatch.Exact(var method) && IDEMPOTENT.contains(method));
    }

    /// Whether all requests that match have a method, and one of which a repetition may do harm.
    public static boolean isHarmful(List<HttpMatch> matches) {
        return !matches.isEmpty()
                && matches.stream()
                        .allMatch(match -> match.method() instanceof StringMatch.Exact(var method)
                                && !IDEMPOTENT.contains(method));
    }
}
