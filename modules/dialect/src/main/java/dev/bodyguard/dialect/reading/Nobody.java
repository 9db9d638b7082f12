package dev.bodyguard.dialect.reading;

import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.AuthorizationPolicy.Action;
import dev.bodyguard.model.AuthorizationPolicy.Rule;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.PolicyTarget;
import dev.bodyguard.model.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Nobody comes in: what holds where a document says who may, and cannot be understood.
public final class Nobody {
    /// In place of a field's path, so that whoever is refused is told why.
    private static final String NOT_UNDERSTOOD = "(not understood)";

    private Nobody() {}

    /// A policy that refuses every request to the workloads that the document is about. Where that cannot be read with
    /// certainty either, these are all of its namespace, and all of the mesh where it stands in a root namespace.
    ///
    /// @param target reads it from the document's `spec`
    public static AuthorizationPolicy comesIn(Document document, Function<Fields, @Nullable PolicyTarget> target) {
        var problems = new ArrayList<Problem>();
        var read = Fields.of(document, problems).<PolicyTarget>object("spec", target);
        return new AuthorizationPolicy(
                read != null && problems.isEmpty()
                        ? read
                        : new PolicyTarget.Labelled(document.namespace(), Map.of(), document.origin()),
                Action.DENY,
                List.of(new Rule(
                        List.of(),
                        List.of(),
                        List.of(),
                        document.origin(NOT_UNDERSTOOD, document.root().at()))),
                document.origin());
    }
}
