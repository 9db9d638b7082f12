package dev.bodyguard.injector.decision;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// What the annotations of a pod ask for, as values. One that says nonsense is refused: a sidecar that does other than
/// asked is worse than none.
///
/// Linkerd's `config.linkerd.io/…` may also stand at the namespace; the pod's goes before it.
final class Wanted {
    private static final Pattern IPV4 = Pattern.compile("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:]*:[0-9a-fA-F:.]*");
    private static final Pattern PREFIX = Pattern.compile("0|[1-9][0-9]{0,2}");
    private static final Pattern PORTS = Pattern.compile("[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?");
    private static final String MUST_BE_PORTS = "ports from 1 to 65535 such as 8080,9000-9010";
    private static final String MUST_BE_RANGES = "address ranges such as 10.0.0.0/8,fd00::/8";
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

    /// Quantities of a resource: what is set aside, and how much may be used.
    ///
    /// @param limit empty for none
    record Bounds(String request, String limit) {}

    private record Asked(String name, String quantity) {
        @Override
        public String toString() {
            return name + "=" + quantity;
        }
    }

    /// What is asked of a resource, by the first of its names each. The API server takes no request above its limit, so
    /// the usual gives way to what is asked: a request raises the usual limit, a limit lowers the usual request.
    Bounds bounds(Bounds usual, List<String> requestNames, List<String> limitNames) {
        var askedRequest = quantity(requestNames);
        var askedLimit = quantity(limitNames);
        var request = askedRequest.map(Asked::quantity).orElse(usual.request);
        var limit = askedLimit.map(Asked::quantity).orElse(usual.limit);
        if (limit.isEmpty() || !Quantity.isMore(request, limit)) {
            return new Bounds(request, limit);
        }
        if (askedRequest.isPresent() && askedLimit.isPresent()) {
            throw new Unfit(
                    "annotation " + askedRequest.get() + " asks for more than " + askedLimit.get() + " allows",
                    "lower the one or raise the other");
        }
        return askedRequest.isPresent() ? new Bounds(request, request) : new Bounds(limit, limit);
    }

    private Optional<Asked> quantity(List<String> names) {
        for (String name : names) {
            var text = text(name);
            if (text.isPresent()) {
                if (!Quantity.isOne(text.get())) {
                    throw wrong(name, text.get(), "a quantity such as 100m or 128Mi");
                }
                return Optional.of(new Asked(name, text.get()));
            }
        }
        return Optional.empty();
    }

    /// Ports and ranges of several annotations together, such as `8080,9000-9010`: exactly what `images/init/capture`
    /// takes, for what it refuses would be a pod that never starts.
    Set<String> ports(String... names) {
        return each(MUST_BE_PORTS, Wanted::isPorts, names);
    }

    /// The same, or `*` for all.
    Set<String> portsOrAll(String name) {
        return each(MUST_BE_PORTS + ", or *", one -> one.equals("*") || isPorts(one), name);
    }

    /// Ranges of addresses of several annotations together, such as `10.0.0.0/8,fd00::/8`.
    Set<String> ranges(String... names) {
        return each(MUST_BE_RANGES, Wanted::isRange, names);
    }

    /// The same, or `*` for all.
    Set<String> rangesOrAll(String name) {
        return each(MUST_BE_RANGES + ", or *", one -> one.equals("*") || isRange(one), name);
    }

    private Set<String> each(String must, Predicate<String> right, String... names) {
        var all = new LinkedHashSet<String>();
        for (String name : names) {
            for (String one : listed(name)) {
                if (!right.test(one)) {
                    throw wrong(name, one, must);
                }
                all.add(one);
            }
        }
        return all;
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
        if (!PORTS.matcher(text).matches()) {
            return false;
        }
        var bounds = text.split("-", -1);
        int low = Integer.parseInt(bounds[0]);
        int high = Integer.parseInt(bounds[bounds.length - 1]);
        return low <= high && high <= 65_535;
    }

    private static boolean isRange(String text) {
        int slash = text.indexOf('/');
        var address = slash < 0 ? text : text.substring(0, slash);
        boolean four = IPV4.matcher(address).matches();
        if (!four && !IPV6.matcher(address).matches()) {
            return false;
        }
        try {
            var _ = InetAddress.ofLiteral(address);
        } catch (IllegalArgumentException _) {
            return false;
        }
        return slash < 0 || isPrefix(text.substring(slash + 1), four ? 32 : 128);
    }

    private static boolean isPrefix(String text, int most) {
        return PREFIX.matcher(text).matches() && Integer.parseInt(text) <= most;
    }

    static Unfit wrong(String name, String was, String must) {
        return new Unfit(
                "annotation " + name + " must be " + must + ", was '" + OptIn.shown(was) + "'", "mend it or remove it");
    }
}
