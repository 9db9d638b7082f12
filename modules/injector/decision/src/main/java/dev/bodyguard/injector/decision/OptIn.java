package dev.bodyguard.injector.decision;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Who gets a sidecar.
///
/// What a pod says goes before what its namespace says. Where one of them says both, declining wins. A label
/// `istio.io/rev` that names another revision goes before asking: the pod is another control plane's. Pods of
/// [Namespace#NEVER] get none. Upper and lower case are the same; a value that neither asks nor declines, such as
/// `istio-injection=yes`, is refused, for it may have been meant to ask. The chart's `webhook.yaml` shows the injector
/// every pod of which this may hold.
///
/// | where | said by | asks | declines, or is another's |
/// |---|---|---|---|
/// | pod, namespace | label or annotation `bodyguard.dev/inject` | `enabled`, `true` | `disabled`, `false` |
/// | pod | label `sidecar.istio.io/inject`; the annotation, which is deprecated | `true` | `false` |
/// | pod, namespace | label `istio.io/rev` | our revision | another |
/// | namespace | label `istio-injection` | `enabled` | `disabled` |
/// | pod, namespace | annotation `linkerd.io/inject` | `enabled`, `ingress` | `disabled` |
final class OptIn {
    static final String OWN = "bodyguard.dev/inject";
    static final String ISTIO = "sidecar.istio.io/inject";
    static final String ISTIO_NAMESPACE = "istio-injection";
    static final String ISTIO_REVISION = "istio.io/rev";
    static final String LINKERD = "linkerd.io/inject";

    private OptIn() {}

    /// What was said.
    sealed interface Wish {}

    record Asked(String by) implements Wish {}

    record Declined(String by) implements Wish {}

    record AskedAnother(String by, String revision) implements Wish {}

    record Silent() implements Wish {}

    static Wish of(Map<String, String> labels, Map<String, String> annotations, Namespace namespace, String revision) {
        var pod = said(
                List.of(
                        new Saying("label", OWN, labels),
                        new Saying("annotation", OWN, annotations),
                        new Saying("label", ISTIO, labels),
                        new Saying("annotation", ISTIO, annotations),
                        new Saying("label", ISTIO_REVISION, labels),
                        new Saying("annotation", LINKERD, annotations)),
                "the pod's",
                revision);
        if (!(pod instanceof Silent)) {
            return pod;
        }
        return said(
                List.of(
                        new Saying("label", OWN, namespace.labels()),
                        new Saying("annotation", OWN, namespace.annotations()),
                        new Saying("label", ISTIO_NAMESPACE, namespace.labels()),
                        new Saying("label", ISTIO_REVISION, namespace.labels()),
                        new Saying("annotation", LINKERD, namespace.annotations())),
                "namespace " + namespace.name() + "'s",
                revision);
    }

    private record Saying(String kind, String name, Map<String, String> in) {
        @Nullable
        String value() {
            return in.get(name);
        }
    }

    private static Wish said(List<Saying> sayings, String whose, String revision) {
        Wish said = new Silent();
        for (var saying : sayings) {
            var value = saying.value();
            if (value == null) {
                continue;
            }
            var wish = wish(
                    saying.name, value, revision, whose + " " + saying.kind + " " + saying.name + "=" + shown(value));
            if (wish instanceof Declined) {
                return wish;
            }
            if (said instanceof Silent || wish instanceof AskedAnother) {
                said = wish;
            }
        }
        return said;
    }

    private static Wish wish(String name, String value, String revision, String by) {
        if (name.equals(ISTIO_REVISION)) {
            return value.equals(revision) ? new Asked(by) : new AskedAnother(by, value);
        }
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "enabled", "true" -> new Asked(by);
            case "disabled", "false" -> new Declined(by);
            case String other when name.equals(LINKERD) && other.equals("ingress") -> new Asked(by);
            case String _ ->
                throw new Unfit(
                        by + " says neither yes nor no",
                        "write " + (name.equals(ISTIO) ? "true or false" : "enabled or disabled"));
        };
    }

    /// A stranger's value, for a sentence.
    static String shown(String value) {
        return shown(value, 60);
    }

    /// The name of a stranger's annotation or label, for a sentence: those that mean something are shorter.
    static String shownName(String name) {
        return shown(name, 100);
    }

    private static String shown(String text, int most) {
        var clean = text.replaceAll("[^\\x20-\\x7e]", "?");
        return clean.length() > most ? clean.substring(0, most) + "…" : clean;
    }
}
