package dev.bodyguard.discovery;

import dev.bodyguard.xds.protocol.discovery.v1.Verdict;
import java.util.HashMap;
import java.util.Map;

/// What each of several configs says of a document, as one verdict. No two threads at once.
final class Verdicts {
    /// More than any mesh has documents.
    private static final int MOST = 100_000;

    private final Map<String, Map<Long, Verdict>> byDocument = new HashMap<>();

    /// Takes one's word.
    ///
    /// @return what all of them say together of the version that this one speaks of
    Verdict heard(long stream, Verdict verdict) {
        if (byDocument.size() >= MOST && !byDocument.containsKey(verdict.getDocument())) {
            return verdict;
        }
        var all = byDocument.computeIfAbsent(verdict.getDocument(), _ -> new HashMap<>());
        all.put(stream, verdict);
        var together = verdict.toBuilder().setInForce(0).setProxies(0);
        for (var one : all.values()) {
            if (one.getGeneration() == verdict.getGeneration()) {
                together.setAccepted(together.getAccepted() && one.getAccepted())
                        .setInForce(together.getInForce() + one.getInForce())
                        .setProxies(together.getProxies() + one.getProxies());
                if (together.getWhy().isEmpty()) {
                    together.setWhy(one.getWhy());
                }
                if (together.getOverridden().isEmpty()) {
                    together.setOverridden(one.getOverridden());
                }
            }
        }
        return together.build();
    }

    /// It says nothing more.
    void gone(long stream) {
        byDocument.values().removeIf(all -> {
            all.remove(stream);
            return all.isEmpty();
        });
    }
}
