package dev.bodyguard.structure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// Which ring each module belongs to, as docs/architecture.md says.
///
/// @param of module, without `dev.bodyguard.`, to ring
record Rings(Map<String, Integer> of) {
    static final int SERVICES = 3;

    private static final Pattern ROW = Pattern.compile("^\\| ([0-3]) [^|]+ \\| ([a-z., ]+) \\|", Pattern.MULTILINE);
    private static final Pattern MODULE = Pattern.compile("<module>modules/([^<]+)</module>");

    static Rings read() {
        var of = new TreeMap<String, Integer>();
        ROW.matcher(Sources.read(Sources.ROOT.resolve("docs/architecture.md")))
                .results()
                .forEach(row -> {
                    for (String module : row.group(2).split(", ", -1)) {
                        assertThat(of.put(module, Integer.parseInt(row.group(1))))
                                .as("rings that " + module + " stands in besides ring " + row.group(1))
                                .isNull();
                    }
                });
        return new Rings(of);
    }

    /// The modules that the root pom builds.
    static List<String> reactor() {
        return MODULE.matcher(Sources.read(Sources.ROOT.resolve("pom.xml")))
                .results()
                .map(module -> module.group(1).replace('/', '.'))
                .sorted()
                .toList();
    }

    int of(String module) {
        return Objects.requireNonNull(of.get(module), () -> module + " is in no ring of docs/architecture.md");
    }
}
