package dev.bodyguard.injector.decision;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A Kubernetes object, or a part of one: what JSON can say, in the order it was said.
public sealed interface Tree {
    /// An object.
    record Obj(Map<String, Tree> fields) implements Tree {
        public Obj {
            fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
        }
    }

    /// An array.
    record Arr(List<Tree> items) implements Tree {
        public Arr {
            items = List.copyOf(items);
        }
    }

    /// A string.
    record Text(String value) implements Tree {}

    /// A number, `true`, `false` or `null`, as JSON writes it.
    record Word(String json) implements Tree {
        static final Word NULL = new Word("null");
    }

    /// Reads JSON.
    static Tree parse(String json) throws Unreadable {
        return Source.readOne(json).tree();
    }

    /// An object of names and values in turn; a value is a tree, a string, a whole number or a truth.
    static Obj obj(Object... namesAndValues) {
        var fields = new LinkedHashMap<String, Tree>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            fields.put((String) namesAndValues[i], of(namesAndValues[i + 1]));
        }
        return new Obj(fields);
    }

    /// An array of trees, strings, whole numbers or truths.
    static Arr arr(Object... items) {
        return new Arr(List.of(items).stream().map(Tree::of).toList());
    }

    private static Tree of(Object value) {
        return switch (value) {
            case Tree tree -> tree;
            case Integer number -> new Word(number.toString());
            case Boolean truth -> new Word(truth.toString());
            default -> new Text((String) value);
        };
    }

    /// The field of an object; `null` the JSON word where there is none, or where this is no object.
    default Tree at(String... path) {
        Tree here = this;
        for (String name : path) {
            here = here instanceof Obj(var fields) ? fields.getOrDefault(name, Word.NULL) : Word.NULL;
        }
        return here;
    }

    /// The items of an array; none of anything else.
    default List<Tree> items() {
        return this instanceof Arr(var items) ? items : List.of();
    }

    /// The fields of an object; none of anything else.
    default Map<String, Tree> fields() {
        return this instanceof Obj(var fields) ? fields : Map.of();
    }

    /// What a string, number or truth says.
    default Optional<String> text() {
        return switch (this) {
            case Text(var value) -> Optional.of(value);
            case Word(var json) -> json.equals("null") ? Optional.empty() : Optional.of(json);
            case Obj _, Arr _ -> Optional.empty();
        };
    }

    /// Whether nothing is said: `null`, `{}`, `[]`.
    default boolean isNothing() {
        return switch (this) {
            case Obj(var fields) -> fields.isEmpty();
            case Arr(var items) -> items.isEmpty();
            case Text _ -> false;
            case Word(var json) -> json.equals("null");
        };
    }

    /// On one line.
    default String json() {
        var out = new StringBuilder();
        write(this, out);
        return out.toString();
    }

    private static void write(Tree tree, StringBuilder out) {
        switch (tree) {
            case Obj(var fields) -> {
                var separator = "{";
                for (var field : fields.entrySet()) {
                    out.append(separator);
                    quote(field.getKey(), out);
                    out.append(": ");
                    write(field.getValue(), out);
                    separator = ", ";
                }
                out.append(fields.isEmpty() ? "{}" : "}");
            }
            case Arr(var items) -> {
                var separator = "[";
                for (var item : items) {
                    out.append(separator);
                    write(item, out);
                    separator = ", ";
                }
                out.append(items.isEmpty() ? "[]" : "]");
            }
            case Text(var value) -> quote(value, out);
            case Word(var json) -> out.append(json);
        }
    }

    /// With everything escaped that a YAML reader would not take in double quotes either.
    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (Character.isHighSurrogate(c)
                            && i + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(i + 1))) {
                        out.append(c).append(text.charAt(++i));
                    } else if (isPlain(c)) {
                        out.append(c);
                    } else {
                        out.append("\\u%04x".formatted((int) c));
                    }
                }
            }
        }
        out.append('"');
    }

    private static boolean isPlain(char c) {
        return c >= ' '
                && !(c >= 0x7f && c <= 0xa0)
                && c != 0x2028
                && c != 0x2029
                && c != 0xfeff
                && c < 0xfffe
                && !Character.isSurrogate(c);
    }
}
