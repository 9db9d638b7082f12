package dev.bodyguard.injector.decision;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// What the annotations of a pod ask for, as values. One that says nonsense is refused: a sidecar that does other than
/// asked is worse than none.
///
/// Linkerd's `config.linkerd.io/…` may also stand at the namespace; the pod's goes before it.
final class Wanted {
    private static final Pattern CIDR =
            Pattern.compile("([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)(/[0-9]{1,3})?");
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
    private static final int MOST_LISTED = 100;

    private final Map<String, String> annotations = new LinkedHashMap<>();

    Wanted(Map<String, String> ofPod, Namespace namespace) {
        namespace.annotations().forEach((name, value) -> {
            if (name.startsWith("config.") && name.contains("linkerd.io/")) {
                annotations.put(name, value);
            }
        });
        annotations.putAll(ofPod);
    }

    Map<String, String> all() {
        return annotations;
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(annotations.get(name)).map(String::strip).filter(text -> !text.isEmpty());
    }

    boolean truth(String name, boolean usual) {
        return text(name)
                .map(text -> switch (text.toLowerCase(Locale.ROOT)) {
                    case "true", "enabled" -> true;
                    case "false", "disabled" -> false;
                    case String _ -> throw wrong(name, text, "true or false");
                })
                .orElse(usual);
    }

    int number(String name, int usual) {
        return text(name)
                .map(text -> {
                    if (!text.matches("[0-9]{1,6}")) {
                        throw wrong(name, text, "a whole number");
                    }
                    return Integer.parseInt(text);
                })
                .orElse(usual);
    }

    /// The first of these that is said.
    String quantity(String usual, String... names) {
        for (String name : names) {
            var text = text(name);
            if (text.isPresent()) {
                if (!Defaults.QUANTITY.matcher(text.get()).matches()) {
                    throw wrong(name, text.get(), "a quantity such as 100m or 128Mi");
                }
                return text.get();
            }
        }
        return usual;
    }

    /// Ports and ranges of several annotations together, such as `8080,9000-9010`; `*` stands alone.
    Set<String> ports(String... names) {
        var ports = new LinkedHashSet<String>();
        for (String name : names) {
            for (String one : listed(name)) {
                if (!one.equals("*") && !isPorts(one)) {
                    throw wrong(name, one, "ports such as 8080,9000-9010");
                }
                ports.add(one);
            }
        }
        return ports;
    }

    Set<String> ranges(String... names) {
        var ranges = new LinkedHashSet<String>();
        for (String name : names) {
            for (String one : listed(name)) {
                if (!one.equals("*") && !CIDR.matcher(one).matches()) {
                    throw wrong(name, one, "address ranges such as 10.0.0.0/8,fd00::/8");
                }
                ranges.add(one);
            }
        }
        return ranges;
    }

    /// Names of objects of the pod's namespace.
    Set<String> names(String name) {
        var names = new LinkedHashSet<String>();
        for (String one : listed(name)) {
            if (!NAME.matcher(one).matches()) {
                throw wrong(name, one, "names of Secrets with commas between them");
            }
            names.add(one);
        }
        return names;
    }

    /// Whether it is said at all; an empty list says "none".
    boolean says(String name) {
        return annotations.containsKey(name);
    }

    private List<String> listed(String name) {
        var items = text(name).stream()
                .flatMap(text -> Pattern.compile(",").splitAsStream(text))
                .map(String::strip)
                .filter(item -> !item.isEmpty())
                .toList();
        if (items.size() > MOST_LISTED) {
            throw wrong(name, items.size() + " items", "at most " + MOST_LISTED + " items");
        }
        return items;
    }

    private static boolean isPorts(String text) {
        if (!text.matches("[0-9]{1,5}(-[0-9]{1,5})?")) {
            return false;
        }
        var bounds = text.split("-", -1);
        int low = Integer.parseInt(bounds[0]);
        int high = Integer.parseInt(bounds[bounds.length - 1]);
        return low >= 1 && low <= high && high <= 65_535;
    }

    static Unfit wrong(String name, String was, String must) {
        return new Unfit(
                "annotation " + name + " must be " + must + ", was '" + OptIn.shown(was) + "'", "mend it or remove it");
    }
}
