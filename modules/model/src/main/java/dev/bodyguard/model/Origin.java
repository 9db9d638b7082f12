package dev.bodyguard.model;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What an author wrote that something is due to: an object, the field in it, and where that stands.
///
/// It travels with every compiled resource, so that a refusal, a log line and `explain` name the same thing.
///
/// @param kind the object's kind, as its author wrote it (`VirtualService`)
/// @param field path from the object's root (`spec.http[0].route[1].weight`), empty for the object as a whole, a word
/// in
///     brackets for what holds because the object is not understood
/// @param at the field's place, null where the object did not come from a file
public record Origin(
        String kind,
        String namespace,
        String name,
        String field,
        @Nullable Location at) {
    public Origin {
        Objects.requireNonNull(kind);
        Objects.requireNonNull(namespace);
        Objects.requireNonNull(name);
        Objects.requireNonNull(field);
    }

    /// `VirtualService default/payment-vs spec.http[0] (payments.yaml:12:5)`
    @Override
    public String toString() {
        var text = new StringBuilder(kind)
                .append(' ')
                .append(namespace)
                .append('/')
                .append(name);
        if (!field.isEmpty()) {
            text.append(' ').append(field);
        }
        if (at != null) {
            text.append(" (").append(at).append(')');
        }
        return text.toString();
    }
}
