package dev.bodyguard.dialect.gateway;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpRoutes.OnPort;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.Visibility;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What routes are attached to.
final class Parents {
    /// A service whose requests are routed.
    ///
    /// @param visibility everybody, or the route's own namespace where the service belongs to another
    record Parent(String host, Origin hostAt, OnPort port, Visibility visibility) {}

    private Parents() {}

    static List<Parent> read(Document document, Fields spec) {
        if (!spec.has("parentRefs")) {
            spec.warning("parentRefs", "is missing, so nothing of this is in force; name a Service");
        }
        return spec.list("parentRefs", parent -> parent(document.namespace(), parent));
    }

    private static @Nullable Parent parent(String namespace, Fields parent) {
        // Its default names a group that has no Service, and yet authors leave it out: the kind tells what they mean.
        parent.elsewhere("group");
        var written = parent.text("kind");
        var kind = written.isEmpty() ? "Gateway" : written;
        var name = parent.required("name");
        var explicit = parent.text("namespace");
        var of = explicit.isEmpty() ? namespace : explicit;
        int number = parent.number("port", 1, 65535, 0);
        var port = parent.text("sectionName");
        if (!kind.equals("Service")) {
            parent.warning(
                    "kind",
                    kind + " is not supported yet as a parent, so nothing of this is in force for it; for sidecars"
                            + " write kind: Service and group: \"\"");
            return null;
        }
        return new Parent(
                Service.host(name, of),
                parent.origin("name"),
                new OnPort(number, port),
                of.equals(namespace) ? Visibility.EVERYWHERE : new Visibility(Set.of(namespace)));
    }
}
