package dev.bodyguard.injector.decision;

import java.util.Comparator;
import java.util.List;

/// Characters of a text that others stand for. Splices of one text do not overlap.
record Splice(int start, int end, String with) {
    static String apply(String text, List<Splice> splices) {
        var out = new StringBuilder(text.length() + 1024);
        int at = 0;
        for (var splice : splices.stream()
                .sorted(Comparator.comparingInt(Splice::start).thenComparingInt(Splice::end))
                .toList()) {
            out.append(text, at, splice.start).append(splice.with);
            at = splice.end;
        }
        return out.append(text, at, text.length()).toString();
    }
}
