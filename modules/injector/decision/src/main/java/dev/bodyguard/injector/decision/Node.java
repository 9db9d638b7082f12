package dev.bodyguard.injector.decision;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A value in a text, with where it stands: offsets into that text.
sealed interface Node {
    int start();

    /// Behind the last character that belongs to it; blanks and comments after it do not.
    int end();

    /// What it says, without the places.
    Tree tree();

    /// A string, number, truth or null. An empty one has no characters.
    record Scalar(Tree tree, int start, int end) implements Node {}

    /// An object.
    ///
    /// @param flow in braces
    record Mapping(List<Entry> entries, boolean flow, int start, int end) implements Node {
        public Mapping {
            entries = List.copyOf(entries);
        }

        @Nullable
        Entry entry(String key) {
            for (var entry : entries) {
                if (entry.key().equals(key)) {
                    return entry;
                }
            }
            return null;
        }

        @Override
        public Tree tree() {
            Map<String, Tree> fields = new LinkedHashMap<>();
            entries.forEach(entry -> fields.put(entry.key, entry.value.tree()));
            return new Tree.Obj(fields);
        }
    }

    /// An array.
    ///
    /// @param flow in brackets
    record Sequence(List<Node> items, boolean flow, int start, int end) implements Node {
        public Sequence {
            items = List.copyOf(items);
        }

        @Override
        public Tree tree() {
            return new Tree.Arr(items.stream().map(Node::tree).toList());
        }
    }

    /// A field of an object.
    ///
    /// @param start of the key
    /// @param colon behind the colon
    record Entry(String key, int start, int colon, Node value) {
        int end() {
            return Math.max(colon, value.end());
        }
    }

    /// The value at a path of keys and indexes; null where there is none.
    default @Nullable Node at(String... path) {
        Node here = this;
        for (String step : path) {
            switch (here) {
                case Mapping mapping -> {
                    var entry = mapping.entry(step);
                    if (entry == null) {
                        return null;
                    }
                    here = entry.value();
                }
                case Sequence sequence -> here = sequence.items().get(Integer.parseInt(step));
                case Scalar _ -> {
                    return null;
                }
            }
        }
        return here;
    }
}
