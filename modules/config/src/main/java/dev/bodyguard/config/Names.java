package dev.bodyguard.config;

import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Service;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Names that somebody has, of documents or registered, and those that workloads had: a service comes with its first
/// workload, and what went with its last one was no typo. A name that only documents gave goes with them. Owned by one
/// thread.
final class Names {
    /// So many are remembered that no workload has any more.
    private static final int MOST_OF_THE_PAST = 10_000;
    /// In so many a name that is written in full is another, at most: the ends of all are long, and alike.
    private static final int MOST_LETTERS = 2;

    /// Those that workloads have or had, the latest at the end.
    private final LinkedHashSet<String> registered = new LinkedHashSet<>();

    private Set<String> present = Set.of();

    /// Takes a mesh in, in place of the one before.
    void look(Mesh mesh) {
        present = mesh.names();
        var now = new TreeSet<String>();
        for (var workload : mesh.workloads()) {
            if (!workload.service().isEmpty()) {
                now.add(Service.host(workload.service(), workload.namespace()));
            }
        }
        registered.removeAll(now);
        registered.addAll(now);
        while (registered.size() > now.size() + MOST_OF_THE_PAST) {
            registered.removeFirst();
        }
    }

    /// Whether somebody has this full name, or any below a wildcard, or a workload had it.
    boolean know(String host) {
        if (host.startsWith("*")) {
            var suffix = host.substring(1);
            return present.stream().anyMatch(name -> name.endsWith(suffix))
                    || registered.stream().anyMatch(name -> name.endsWith(suffix));
        }
        if (present.contains(host) || registered.contains(host) || present.contains("*")) {
            return true;
        }
        for (int dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
            if (present.contains("*" + host.substring(dot))) {
                return true;
            }
        }
        return false;
    }

    /// Whether somebody in a namespace has a name, or a workload there had one.
    boolean livesIn(String namespace) {
        var end = "." + namespace + Mesh.SERVICE_SUFFIX;
        return present.stream().anyMatch(name -> name.endsWith(end))
                || registered.stream().anyMatch(name -> name.endsWith(end));
    }

    /// The nearest name, as an author in a namespace writes it; empty where none is near.
    String nearest(String host, String namespace) {
        var written = present.stream().map(name -> shortened(name, namespace)).toList();
        var near = Nearest.of(shortened(meant(host).orElse(host), namespace), written);
        if (near != null) {
            return near;
        }
        var spelt = new TreeMap<String, String>();
        present.forEach(name -> spellings(name).forEach(spelling -> spelt.putIfAbsent(spelling, name)));
        var other = spelt.get(String.valueOf(Nearest.within(MOST_LETTERS, host, spelt.keySet())));
        return other == null ? "" : shortened(other, namespace);
    }

    /// Whether a name is one of the mesh, with its end left out or not.
    boolean isOfMesh(String host) {
        return host.endsWith(Mesh.SERVICE_SUFFIX) || meant(host).isPresent();
    }

    /// Whether a name is one of the mesh, or may have been meant to be one of these, which are few.
    boolean isOfMesh(String host, Collection<String> these) {
        return isOfMesh(host)
                || Nearest.within(
                                MOST_LETTERS,
                                host,
                                these.stream().flatMap(Names::spellings).toList())
                        != null;
    }

    /// How a name of the mesh may be written, from anywhere; nothing for others, which are nobody's business here.
    private static Stream<String> spellings(String name) {
        if (!name.endsWith(Mesh.SERVICE_SUFFIX)) {
            return Stream.empty();
        }
        var pair = name.substring(0, name.length() - Mesh.SERVICE_SUFFIX.length());
        return Stream.of(pair.substring(0, pair.indexOf('.')), pair, pair + ".svc", name);
    }

    /// The full name of the mesh that is meant where an author leaves its end out, as no document may: `pay.shop` and
    /// `pay.shop.svc`. Empty where it may be a name outside of the mesh.
    Optional<String> meant(String host) {
        var words = host.split("\\.", -1);
        boolean marked = words.length == 3 && words[2].equals("svc");
        if (!marked && words.length != 2) {
            return Optional.empty();
        }
        var end = "." + words[1] + Mesh.SERVICE_SUFFIX;
        return marked || present.stream().anyMatch(name -> name.endsWith(end))
                ? Optional.of(words[0] + end)
                : Optional.empty();
    }

    /// `pay` of the same namespace, `pay.shop` of another; what is outside of the mesh has no shorter name.
    private static String shortened(String host, String namespace) {
        if (!host.endsWith(Mesh.SERVICE_SUFFIX)) {
            return host;
        }
        var name = host.substring(0, host.length() - Mesh.SERVICE_SUFFIX.length());
        return name.endsWith("." + namespace) ? name.substring(0, name.length() - namespace.length() - 1) : name;
    }
}
