package dev.bodyguard.structure;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The fields of a kind's `spec`, as `src/test/cases/kinds` has them: path to what is said of the field, such as
/// `http[].fault.abort.percentage.value` to `number`.
///
/// A line is a field; what is indented below it is inside of it.
///
/// ```
/// host string
/// subsets[]                            # an array of objects
///   labels{}                           # an object with names of the author's own
///     exact string
///   tls                                # an object
///     mode string DISABLE|SIMPLE       # the values that it may have
///     port integer 1..65535 =443       # its limits; what it is if nothing is said
///     name string /^[a-z]+$/           # its pattern
///   other = subsets[].tls              # the same fields again
/// ```
///
/// @param head the first lines: `kind`, `versions` (the stored one has a star), `short`
record Outline(List<String> head, Map<String, String> fields) {
    static Outline of(String text) {
        var both = text.split("\n\n", 2);
        var fields = new TreeMap<String, String>();
        Deque<String> inside = new ArrayDeque<>(List.of(""));
        for (var line : both[1].lines().toList()) {
            int depth = (line.length() - line.stripLeading().length()) / 2;
            while (inside.size() > depth + 1) {
                inside.pop();
            }
            var words = line.strip().split(" ", 2);
            var name = words[0].replaceAll("(\\[]|\\{})$", "");
            var path = inside.element() + name;
            var below = inside.element() + words[0] + ".";
            if (words.length == 2 && !words[1].startsWith("= ")) {
                fields.put(path, words[1]);
                continue;
            }
            fields.put(path, words[0].endsWith("[]") ? "array" : "object");
            if (words.length == 2) {
                var same = words[1].substring("= ".length()) + ".";
                for (var field : List.copyOf(fields.entrySet())) {
                    if (field.getKey().startsWith(same)) {
                        fields.put(below + field.getKey().substring(same.length()), field.getValue());
                    }
                }
            }
            inside.push(below);
        }
        return new Outline(both[0].lines().toList(), fields);
    }
}
