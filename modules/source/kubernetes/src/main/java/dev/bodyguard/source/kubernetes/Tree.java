package dev.bodyguard.source.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An object's JSON, asked by path. What is not there, or of another shape, is as good as empty.
record Tree(@Nullable Object value) {
    static Tree of(GenericKubernetesResource object) {
        return new Tree(object.getAdditionalProperties());
    }

    Tree at(String... path) {
        var now = value;
        for (var key : path) {
            now = now instanceof Map<?, ?> map ? map.get(key) : null;
        }
        return new Tree(now);
    }

    Object orEmpty() {
        return value == null ? Map.of() : value;
    }

    String text(String... path) {
        return at(path).value instanceof String text ? text : "";
    }

    boolean is(String... path) {
        return Boolean.TRUE.equals(at(path).value);
    }

    /// A port, 0 where there is none.
    int port(String... path) {
        return at(path).value instanceof Integer number && number > 0 && number <= 65_535 ? number : 0;
    }

    List<Tree> items(String... path) {
        return at(path).value instanceof List<?> list
                ? list.stream().<Tree>map(Tree::new).toList()
                : List.of();
    }
}
