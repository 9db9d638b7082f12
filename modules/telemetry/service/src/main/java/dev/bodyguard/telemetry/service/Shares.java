package dev.bodyguard.telemetry.service;

import java.util.HashMap;
import java.util.Map;

/// What there is only so much of: whoever takes all that one identity may have leaves the others theirs. Not for
/// several
/// threads at once.
final class Shares {
    private final int each;
    private final int all;
    private final Map<String, Integer> taken = new HashMap<>();
    private int sum;

    /// @param each what one identity can have
    /// @param all what all together can have
    Shares(int each, int all) {
        this.each = each;
        this.all = all;
    }

    /// Takes one; false where there is none left for this identity.
    boolean take(String identity) {
        int has = taken.getOrDefault(identity, 0);
        if (has >= each || sum >= all) {
            return false;
        }
        taken.put(identity, has + 1);
        sum++;
        return true;
    }

    /// Gives back what was taken before.
    void giveBack(String identity, int count) {
        if (count > 0) {
            taken.computeIfPresent(identity, (_, has) -> has == count ? null : has - count);
            sum -= count;
        }
    }

    int taken() {
        return sum;
    }
}
