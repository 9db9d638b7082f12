package dev.bodyguard.dialect.reading;

import java.util.Collection;
import java.util.Locale;

/// The word that an author may have meant.
public final class Nearest {
    private Nearest() {}

    /// `; did you mean timeout?`, or what there is to choose from where nothing is near.
    public static String to(String written, Collection<String> words) {
        var best = "";
        int least = Math.max(2, written.length() / 3) + 1;
        for (var word : words) {
            int distance = distance(written.toLowerCase(Locale.ROOT), word.toLowerCase(Locale.ROOT));
            if (distance < least) {
                least = distance;
                best = word;
            }
        }
        if (!best.isEmpty()) {
            return "; did you mean " + best + "?";
        }
        return words.isEmpty()
                ? "; remove it"
                : "; there are " + String.join(", ", words.stream().sorted().toList());
    }

    // Levenshtein's, row by row.
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + change);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
