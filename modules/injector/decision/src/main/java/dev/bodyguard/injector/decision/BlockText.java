package dev.bodyguard.injector.decision;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// Trees as YAML in block style.
///
/// @param step by which an object's fields stand further in than the object's key
/// @param dashes by which a list's dashes stand further in than the list's key
/// @param lineBreak of the text that it goes into
record BlockText(int step, int dashes, String lineBreak) {
    /// Read as a string by every reader, of YAML 1.1 too.
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z_/]([A-Za-z0-9_./:@-]*[A-Za-z0-9_./@-])?");

    private static final Set<String> WORDS = Set.of("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan");
    private static final Pattern QUOTABLE = Pattern.compile("[\\x20-\\x7e&&[^']]*");

    /// Fields, each on lines of its own, indented.
    String fields(Map<String, Tree> fields, String indent) {
        var out = new StringBuilder();
        fields.forEach((name, value) -> out.append(indent).append(field(name, value, indent)));
        return out.toString();
    }

    /// Items, each on lines of its own.
    ///
    /// @param indent of the dashes
    String items(Iterable<Tree> items, String indent) {
        var out = new StringBuilder();
        for (var item : items) {
            out.append(indent).append("- ");
            if (item instanceof Tree.Obj(var fields) && !fields.isEmpty()) {
                // The first field stands on the dash's line.
                out.append(fields(fields, indent + "  ").substring(indent.length() + 2));
            } else {
                out.append(item.isNothing() ? item.json() : scalar(item)).append(lineBreak);
            }
        }
        return out.toString();
    }

    /// A field with its line break, but without the indentation of its first line.
    String field(String name, Tree value, String indent) {
        var key = scalar(new Tree.Text(name)) + ":";
        return switch (value) {
            case Tree.Obj(var fields)
            when !fields.isEmpty() -> key + lineBreak + fields(fields, indent + " ".repeat(step));
            case Tree.Arr(var items)
            when !items.isEmpty() -> key + lineBreak + items(items, indent + " ".repeat(dashes));
            case Tree other -> key + " " + scalar(other) + lineBreak;
        };
    }

    private static String scalar(Tree value) {
        if (!(value instanceof Tree.Text(var text))) {
            return value.json();
        }
        if (PLAIN.matcher(text).matches() && !WORDS.contains(text.toLowerCase(Locale.ROOT))) {
            return text;
        }
        // JSON inside is easier to read without its quotes escaped.
        return text.contains("\"") && QUOTABLE.matcher(text).matches() ? "'" + text + "'" : value.json();
    }
}
