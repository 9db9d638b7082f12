package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Exports;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.Visibility;
import java.util.Locale;

/// Names as Istio's documents write them.
final class Hosts {
    private Hosts() {}

    /// The full name that a document in a namespace means: a name without a dot is one of its namespace.
    static String full(String written, String namespace) {
        var host = Mesh.hostOf(written);
        return host.isEmpty() || host.contains(".") || host.startsWith("*") ? host : Service.host(host, namespace);
    }

    /// The full name in a field that must be there.
    static String required(Fields fields, String field, String namespace) {
        var written = fields.required(field);
        checked(fields, field, written);
        return full(written, namespace);
    }

    /// Complains of what can be no host.
    static void checked(Fields fields, String field, String written) {
        if (!written.isEmpty()
                && !written.toLowerCase(Locale.ROOT)
                        .matches("\\*|(\\*\\.)?[a-z0-9_]([-a-z0-9_.]*[a-z0-9_.])?|[0-9a-f:.]+")) {
            fields.error(field, "must be a host name, perhaps with *. before it, was " + written);
        }
    }

    /// Who sees the document; everybody where nothing is said.
    static Visibility exportTo(Fields spec, String namespace) {
        return Exports.to(spec.texts("exportTo"), namespace);
    }
}
