package dev.bodyguard.dialect.reading;

import dev.bodyguard.model.Visibility;
import java.util.HashSet;
import java.util.List;

/// `exportTo` in Istio's words: namespaces, `.` for the document's own, `*` for all, `~` for none.
public final class Exports {
    private Exports() {}

    /// Who sees the document; everybody where nothing is said.
    public static Visibility to(List<String> written, String namespace) {
        if (written.isEmpty()) {
            return Visibility.EVERYWHERE;
        }
        var namespaces = new HashSet<String>();
        for (var one : written) {
            switch (one) {
                case "." -> namespaces.add(namespace);
                case "~" -> {}
                default -> namespaces.add(one);
            }
        }
        return new Visibility(namespaces);
    }
}
