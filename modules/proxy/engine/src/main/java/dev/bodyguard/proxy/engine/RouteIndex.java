package dev.bodyguard.proxy.engine;

import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/// A host's rules by what a path must begin with to meet them, so that of ten thousand only those are asked that may
/// match. Which one is first is decided by their order alone. Looking up allocates nothing.
final class RouteIndex {
    private static final int[] NONE = {};

    private final Hosts.Rule[] rules;
    /// Those that a path may meet however it begins, in order.
    private final int[] anyPath;

    /// Whether beginnings of this length are known.
    private final boolean[] lengths;

    /// A hash table with open addressing: beginnings, by length and hash, and their rules in order. Beginnings that
    /// only share length and hash share a place; the rule itself decides.
    private final long[] keys;

    private final int[][] places;

    /// @param beginnings one for each rule; empty where a path may begin in any way
    RouteIndex(List<Hosts.Rule> rules, List<String> beginnings) {
        this.rules = rules.toArray(Hosts.Rule[]::new);
        var any = new ArrayList<Integer>();
        var byBeginning = new TreeMap<Long, List<Integer>>();
        int longest = 0;
        for (int i = 0; i < beginnings.size(); i++) {
            var beginning = beginnings.get(i);
            if (beginning.isEmpty()) {
                any.add(i);
            } else {
                longest = Math.max(longest, beginning.length());
                byBeginning
                        .computeIfAbsent(key(beginning.length(), beginning.hashCode()), _ -> new ArrayList<>())
                        .add(i);
            }
        }
        anyPath = array(any);
        lengths = new boolean[longest + 1];
        beginnings.forEach(beginning -> lengths[beginning.length()] = true);
        int room = Math.max(2, Integer.highestOneBit(byBeginning.size()) * 4);
        keys = new long[room];
        places = new int[room][];
        Arrays.fill(places, NONE);
        byBeginning.forEach((key, at) -> {
            int slot = slot(key);
            keys[slot] = key;
            places[slot] = array(at);
        });
    }

    /// What a path must begin with to meet a match; empty where it may begin in any way.
    static String beginning(RouteMatch match) {
        if (match.hasCaseSensitive() && !match.getCaseSensitive().getValue()) {
            return "";
        }
        return switch (match.getPathSpecifierCase()) {
            // What every path begins with, the `*` of a server-wide OPTIONS (RFC 9110 §7.1) included.
            case PREFIX -> match.getPrefix().equals("/") ? "" : match.getPrefix();
            case PATH -> match.getPath();
            case PATH_SEPARATED_PREFIX -> match.getPathSeparatedPrefix();
            case SAFE_REGEX, CONNECT_MATCHER, PATH_MATCH_POLICY, PATHSPECIFIER_NOT_SET -> "";
        };
    }

    /// The first rule that the request meets, -1 where there is none.
    int first(RequestHead head) {
        int best = first(anyPath, head, rules.length);
        var path = head.path();
        int end = Math.min(path.length(), lengths.length - 1);
        // As String.hashCode has it, so that each beginning's hash comes by on the way.
        int hash = 0;
        for (int length = 1; length <= end; length++) {
            hash = 31 * hash + path.charAt(length - 1);
            if (lengths[length]) {
                best = first(places[slot(key(length, hash))], head, best);
            }
        }
        return best == rules.length ? -1 : best;
    }

    private int first(int[] among, RequestHead head, int before) {
        for (int index : among) {
            if (index >= before) {
                return before;
            }
            if (rules[index].matches().test(head)) {
                return index;
            }
        }
        return before;
    }

    private static long key(int length, int hash) {
        return ((long) length << 32) | (hash & 0xffff_ffffL);
    }

    /// Where the key is, or the free place where it would be.
    private int slot(long key) {
        long mixed = key * 0x9e37_79b9_7f4a_7c15L;
        int slot = (int) (mixed >>> 32) & (keys.length - 1);
        while (keys[slot] != key && places[slot].length > 0) {
            slot = (slot + 1) & (keys.length - 1);
        }
        return slot;
    }

    private static int[] array(List<Integer> numbers) {
        return numbers.stream().mapToInt(Integer::intValue).toArray();
    }
}
