package dev.bodyguard.standalone;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Value;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Which service accounts a mesh's documents speak of: on one machine, a service runs under its own name.
final class Accounts {
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

    private final Set<Account> found = new TreeSet<>();

    private Accounts() {}

    /// A name to run under.
    record Account(String namespace, String name) implements Comparable<Account> {
        @Override
        public int compareTo(Account other) {
            int byNamespace = namespace.compareTo(other.namespace);
            return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
        }
    }

    static Set<Account> of(List<Document> documents) {
        var accounts = new Accounts();
        documents.forEach(accounts::read);
        return accounts.found;
    }

    private void read(Document document) {
        Value spec = document.root().get("spec");
        switch (document.kind()) {
            case "Service", "ServiceAccount" -> add(document.namespace(), document.name());
            case "WorkloadEntry" -> {
                if (field(spec, "serviceAccount") instanceof Value.Text(var name, var _)) {
                    add(document.namespace(), name);
                }
            }
            case "DestinationRule" -> host(document, field(spec, "host"));
            case "VirtualService" -> {
                items(field(spec, "hosts")).forEach(host -> host(document, host));
                for (Value http : items(field(spec, "http"))) {
                    for (Value route : items(field(http, "route"))) {
                        host(document, field(field(route, "destination"), "host"));
                    }
                }
            }
            default -> {} // speaks of no service by name
        }
    }

    /// `pay`, `pay.shop.svc` or `pay.shop.svc.cluster.local`; anything else may be a host outside of the mesh.
    private void host(Document document, @Nullable Value host) {
        if (!(host instanceof Value.Text(var name, var _))) {
            return;
        }
        String[] labels = name.split("\\.", -1);
        if (labels.length == 1) {
            add(document.namespace(), name);
        } else if (labels.length >= 3 && labels[2].equals("svc")) {
            add(labels[1], labels[0]);
        }
    }

    private void add(String namespace, String name) {
        if (LABEL.matcher(namespace).matches() && LABEL.matcher(name).matches()) {
            found.add(new Account(namespace, name));
        }
    }

    private static @Nullable Value field(@Nullable Value value, String name) {
        return value instanceof Value.Mapping mapping ? mapping.get(name) : null;
    }

    private static List<Value> items(@Nullable Value value) {
        return value instanceof Value.Sequence(var items, var _) ? items : List.of();
    }
}
