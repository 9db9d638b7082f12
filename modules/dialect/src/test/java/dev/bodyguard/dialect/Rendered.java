package dev.bodyguard.dialect;

import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Records for people: a component a line, nothing for what is empty, origins as they read.
final class Rendered {
    private Rendered() {}

    static String of(Part part) {
        var text = new StringBuilder();
        value("", "", part, text);
        return text.toString();
    }

    private static void value(String indent, String name, Object value, StringBuilder text) {
        var label = indent + (name.isEmpty() ? "" : name + ": ");
        switch (value) {
            case null -> {}
            case Origin origin -> text.append(label).append(origin).append('\n');
            case Record some -> {
                text.append(label).append(some.getClass().getSimpleName()).append('\n');
                for (var component : some.getClass().getRecordComponents()) {
                    value(indent + "  ", component.getName(), read(some, component), text);
                }
            }
            case Map<?, ?> map -> new TreeMap<>(map).forEach((key, one) -> value(indent, name + "." + key, one, text));
            case Set<?> set -> new TreeSet<>(set).forEach(one -> value(indent, name, one, text));
            case Collection<?> all -> all.forEach(one -> value(indent, name, one, text));
            case Optional<?> maybe -> maybe.ifPresent(one -> value(indent, name, one, text));
            default -> {
                var shown = value.toString();
                if (!shown.isEmpty() && !shown.equals("0") && !shown.equals("false")) {
                    text.append(label).append(shown).append('\n');
                }
            }
        }
    }

    private static Object read(Record some, RecordComponent component) {
        try {
            return component.getAccessor().invoke(some);
        } catch (ReflectiveOperationException broken) {
            throw new IllegalStateException(broken);
        }
    }
}
