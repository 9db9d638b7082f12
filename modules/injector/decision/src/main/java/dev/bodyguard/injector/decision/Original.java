package dev.bodyguard.injector.decision;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What an author's text said before it was edited, where that cannot be told from values: kept in the annotation
/// `bodyguard.dev/original` as JSON.
///
/// @param emptied path of an object or list that said nothing, such as ` {}`: what stood behind its colon
/// @param replaced label of an edit: the entry as it was
record Original(Map<String, String> emptied, Map<String, Entry> replaced) {
    /// @param column of the entry's first character, which the indentation of its further lines goes with
    /// @param flow whether it stood in braces
    record Entry(String text, int column, boolean flow) {}

    boolean isEmpty() {
        return emptied.isEmpty() && replaced.isEmpty();
    }

    String json() {
        var fields = new LinkedHashMap<String, Tree>();
        emptied.forEach((path, text) -> fields.put(path, new Tree.Text(text)));
        replaced.forEach((label, entry) ->
                fields.put(label, Tree.obj("text", entry.text, "column", entry.column, "flow", entry.flow)));
        return new Tree.Obj(fields).json();
    }

    static Original in(Tree pod) {
        var original = new Original(new LinkedHashMap<>(), new LinkedHashMap<>());
        var text = pod.at("metadata", "annotations", Status.ORIGINAL).text();
        if (text.isEmpty()) {
            return original;
        }
        Tree json;
        try {
            json = Source.readOne(text.get()).tree();
        } catch (Unreadable broken) {
            throw new Unfit(
                    "its annotation " + Status.ORIGINAL + " cannot be read (" + broken.getMessage() + ")",
                    "remove the annotation: what was there before is then written anew");
        }
        json.fields().forEach((name, value) -> {
            switch (value) {
                case Tree.Text(var was) -> original.emptied.put(name, was);
                case Tree entry -> {
                    var column = entry.at("column").text().filter(number -> number.matches("[0-9]{1,4}"));
                    if (column.isPresent()) {
                        original.replaced.put(
                                name,
                                new Entry(
                                        entry.at("text").text().orElse(""),
                                        Integer.parseInt(column.get()),
                                        entry.at("flow").text().equals(Optional.of("true"))));
                    }
                }
            }
        });
        return original;
    }
}
