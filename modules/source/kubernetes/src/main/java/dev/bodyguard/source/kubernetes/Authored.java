package dev.bodyguard.source.kubernetes;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Value;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// An API server's object as the document that its author wrote: without what others keep in it.
final class Authored {
    /// Where the author keeps the object, `file:line`; every field is said to stand there.
    private static final String SOURCE = "bodyguard.dev/source";

    private static final Pattern PLACE = Pattern.compile("([^\\p{Cntrl}]{1,512}):([1-9][0-9]{0,6})");
    private static final Set<String> NOT_AUTHORED = Set.of("kubectl.kubernetes.io/last-applied-configuration");
    /// Deeper than any kind that is understood. What lies below is a word instead, which its dialect does not take.
    private static final int DEEPEST = 30;

    private static final String TOO_DEEP = "(nested deeper than " + DEEPEST + " levels)";

    private Authored() {}

    static Document document(GenericKubernetesResource object) {
        var meta = object.getMetadata();
        var annotations = new LinkedHashMap<String, Object>();
        if (meta.getAnnotations() != null) {
            annotations.putAll(meta.getAnnotations());
        }
        annotations.keySet().removeAll(NOT_AUTHORED);
        var at = place(annotations.get(SOURCE));

        var head = new LinkedHashMap<String, @Nullable Object>();
        head.put("name", meta.getName());
        head.put("namespace", meta.getNamespace());
        if (meta.getLabels() != null && !meta.getLabels().isEmpty()) {
            head.put("labels", meta.getLabels());
        }
        if (!annotations.isEmpty()) {
            head.put("annotations", annotations);
        }
        if (meta.getCreationTimestamp() != null) {
            head.put("creationTimestamp", meta.getCreationTimestamp());
        }
        if (meta.getGeneration() != null) {
            head.put("generation", meta.getGeneration());
        }
        var whole = new LinkedHashMap<String, @Nullable Object>();
        whole.put("apiVersion", object.getApiVersion());
        whole.put("kind", object.getKind());
        whole.put("metadata", head);
        object.getAdditionalProperties().forEach((key, value) -> {
            if (!key.equals("status")) {
                whole.put(key, value);
            }
        });
        return new Document(
                object.getApiVersion(),
                object.getKind(),
                meta.getNamespace(),
                meta.getName(),
                meta.getResourceVersion(),
                mapping(whole, at, DEEPEST));
    }

    private static @Nullable Location place(@Nullable Object source) {
        if (source instanceof String text) {
            var parts = PLACE.matcher(text);
            if (parts.matches()) {
                return new Location(parts.group(1), Integer.parseInt(parts.group(2)), 1);
            }
        }
        return null;
    }

    private static Value.Mapping mapping(Map<?, ?> map, @Nullable Location at, int deeper) {
        var entries = new ArrayList<Value.Entry>();
        for (var entry : map.entrySet()) {
            entries.add(new Value.Entry(String.valueOf(entry.getKey()), value(entry.getValue(), at, deeper - 1), at));
        }
        return new Value.Mapping(entries, at);
    }

    private static Value value(@Nullable Object json, @Nullable Location at, int deeper) {
        if (deeper == 0) {
            return new Value.Text(TOO_DEEP, at);
        }
        return switch (json) {
            case null -> new Value.Null(at);
            case Boolean bool -> new Value.Bool(bool, at);
            case Integer number -> new Value.Int(number, at);
            case Long number -> new Value.Int(number, at);
            case Double number -> new Value.Decimal(number, at);
            case Float number -> new Value.Decimal(number, at);
            case BigInteger number -> new Value.Decimal(number.doubleValue(), at);
            case BigDecimal number -> new Value.Decimal(number.doubleValue(), at);
            case String text -> new Value.Text(text, at);
            case Map<?, ?> map -> mapping(map, at, deeper);
            case List<?> list -> {
                var items = new ArrayList<Value>();
                for (var item : list) {
                    items.add(value(item, at, deeper - 1));
                }
                yield new Value.Sequence(items, at);
            }
            default -> throw new IllegalArgumentException("no JSON: " + json.getClass());
        };
    }
}
