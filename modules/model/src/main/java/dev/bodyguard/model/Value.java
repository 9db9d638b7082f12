package dev.bodyguard.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A YAML or JSON value that knows where it stands; null places are of values that came from no file.
public sealed interface Value {
    /// Where the value begins.
    @Nullable
    Location at();

    /// An explicit null.
    record Null(@Nullable Location at) implements Value {}

    /// `true` or `false`.
    record Bool(boolean value, @Nullable Location at) implements Value {}

    /// A whole number.
    record Int(long value, @Nullable Location at) implements Value {}

    /// A number with a fraction or an exponent.
    record Decimal(double value, @Nullable Location at) implements Value {}

    /// A string.
    record Text(String value, @Nullable Location at) implements Value {}

    /// Items in order.
    record Sequence(List<Value> items, @Nullable Location at) implements Value {
        public Sequence {
            items = List.copyOf(items);
        }
    }

    /// Entries in the author's order; no key twice.
    record Mapping(List<Entry> entries, @Nullable Location at) implements Value {
        public Mapping {
            entries = List.copyOf(entries);
        }

        /// The value under a key, null where there is none.
        public @Nullable Value get(String key) {
            for (Entry entry : entries) {
                if (entry.key().equals(key)) {
                    return entry.value();
                }
            }
            return null;
        }
    }

    /// One key of a mapping and its value.
    ///
    /// @param keyAt where the key stands
    record Entry(String key, Value value, @Nullable Location keyAt) {}
}
