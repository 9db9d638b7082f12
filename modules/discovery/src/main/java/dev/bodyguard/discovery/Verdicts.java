package dev.bodyguard.discovery;

import dev.bodyguard.xds.protocol.discovery.v1.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What each of several configs says of a document, as one verdict. No two threads at once.
final class Verdicts {
    /// More than any mesh has documents.
    private static final int MOST = 100_000;

    private final Map<String, Map<Long, Verdict>> byDocument = new HashMap<>();
    /// How many each config has, as it said last. Who has not spoken of a version yet has it on none of them.
    private final Map<Long, Integer> proxies = new HashMap<>();

    /// Takes one's word.
    ///
    /// @return what all of them say together of the version that this one speaks of
    Verdict heard(long stream, Verdict verdict) {
        proxies.put(stream, verdict.getProxies());
        if (byDocument.size() >= MOST && !byDocument.containsKey(verdict.getDocument())) {
            return verdict;
        }
        var all = byDocument.computeIfAbsent(verdict.getDocument(), _ -> new HashMap<>());
        all.put(stream, verdict);
        return together(verdict, all);
    }

    private Verdict together(Verdict first, Map<Long, Verdict> all) {
        var together = first.toBuilder()
                .setInForce(0)
                .setProxies(
                        proxies.values().stream().mapToInt(Integer::intValue).sum());
        for (var one : all.values()) {
            if (one.getGeneration() == first.getGeneration()) {
                // Whoever refuses it says why; what others would have its author know does not matter then.
                boolean worse = together.getAccepted() && !one.getAccepted();
                if (worse || (together.getWhy().isEmpty() && together.getAccepted() == one.getAccepted())) {
                    together.setWhy(one.getWhy());
                }
                together.setAccepted(together.getAccepted() && one.getAccepted())
                        .setInForce(together.getInForce() + one.getInForce());
                if (together.getOverridden().isEmpty()) {
                    together.setOverridden(one.getOverridden());
                }
            }
        }
        return together.build();
    }

    /// It says nothing more.
    ///
    /// @return what the others say together of what it spoke of: they have no news of it themselves
    List<Verdict> gone(long stream) {
        proxies.remove(stream);
        var left = new ArrayList<Verdict>();
        byDocument.values().removeIf(all -> {
            if (all.remove(stream) != null && !all.isEmpty()) {
                left.add(
                        together(Collections.max(all.values(), Comparator.comparingLong(Verdict::getGeneration)), all));
            }
            return all.isEmpty();
        });
        return left;
    }
}
