package dev.bodyguard.dialect;

import java.util.Collection;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The word that an author may have meant.
public final class Nearest {
    private Nearest() {}

    /// The one of the words that differs least, in at most a third of what is written or two letters; null where none
    /// does. Case does not count.
    public static @Nullable String of(String written, Collection<String> words) {
        return within(Math.max(2, written.length() / 3), written, words);
    }

    /// The one of the words that differs least, in so many letters at most; null where none does.
    public static @Nullable String within(int most, String written, Collection<String> words) {
        String best = null;
        int least = most + 1;
        var lower = written.toLowerCase(Locale.ROOT);
        for (var word : words) {
            // Each letter that one has more than the other is a difference.
            if (Math.abs(word.length() - written.length()) < least) {
                int distance = distance(lower, word.toLowerCase(Locale.ROOT));
                if (distance < least) {
                    least = distance;
                    best = word;
                }
            }
        }
        return best;
    }

    /// `; did you mean timeout?`, or what there is to choose from where nothing is near.
    public static String to(String written, Collection<String> words) {
        var best = of(written, words);
        if (best != null) {
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
