package dev.bodyguard.structure;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What `samples/embedded/README.md` says of each sample.
class SamplesTest {
    private static final Path EMBEDDED = Sources.ROOT.resolve("samples/embedded");
    private static final Pattern ROW = Pattern.compile(
            "^\\| \\[([^]]+)]\\(([^)]+)\\) \\| `bodyguard-([^`]+)` \\| ([^|]+) \\| [^|]+ \\|$", Pattern.MULTILINE);
    private static final Pattern DEPENDENCY = Pattern.compile(
            "<dependency>\\s*<groupId>([^<]+)</groupId>\\s*<artifactId>([^<]+)</artifactId>\\s*<version>");

    /// A row of the page's table.
    ///
    /// @param uses a module of ours, without `dev.bodyguard.`
    /// @param alongWith what that needs of us
    record Sample(String folder, Path main, String uses, Set<String> alongWith) {
        static Sample of(MatchResult row) {
            var along = Pattern.compile("`([^`]+)`")
                    .matcher(row.group(4))
                    .results()
                    .map(one -> one.group(1))
                    .toList();
            return new Sample(
                    row.group(1), EMBEDDED.resolve(row.group(2)), row.group(3).replace('-', '.'), new TreeSet<>(along));
        }
    }

    static List<Sample> samples() {
        var samples = ROW.matcher(Sources.read(EMBEDDED.resolve("README.md")))
                .results()
                .map(Sample::of)
                .toList();
        assertThat(samples).hasSize(3);
        return samples;
    }

    @ParameterizedTest
    @MethodSource("samples")
    void isUnderFortyLines(Sample sample) {
        var source = Sources.read(sample.main);

        assertThat(source).contains("static void main(");
        assertThat(source.lines().count()).isLessThan(40);
        assertThat(Sources.java())
                .filteredOn(
                        file -> file.startsWith(EMBEDDED.resolve(sample.folder).resolve("src/main/java/dev")))
                .containsExactly(sample.main);
    }

    @ParameterizedTest
    @MethodSource("samples")
    void dependsOnTheModuleThatIsNamedAndNothingElse(Sample sample) {
        var pom = Sources.read(EMBEDDED.resolve(sample.folder).resolve("pom.xml"));

        assertThat(pom.split("<dependency>", -1)).hasSize(2);
        assertThat(DEPENDENCY.matcher(pom).results().map(one -> one.group(1) + ":" + one.group(2)))
                .containsExactly("dev.bodyguard:bodyguard-" + sample.uses.replace('.', '-'));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void nothingElseOfTheMeshIsThere(Sample sample) {
        var needed = new TreeSet<String>();
        var open = new ArrayDeque<>(List.of(sample.uses));
        while (!open.isEmpty()) {
            var next = open.remove();
            if (needed.add(next)) {
                open.addAll(graph().getOrDefault(next, Set.of()));
            }
        }

        var said = new TreeSet<>(sample.alongWith);
        said.add(sample.uses);
        assertThat(needed).isEqualTo(said);
    }

    /// Our modules and which of ours each requires, as `module-graph.txt` has them, which is held against the
    /// descriptors.
    private static Map<String, Set<String>> graph() {
        var graph = new TreeMap<String, Set<String>>();
        Set<String> required = new TreeSet<>();
        for (var line :
                Sources.read(Path.of("src/test/cases/module-graph.txt")).lines().toList()) {
            var name = line.replaceFirst("^ {2}-> ", "");
            if (!name.equals(line)) {
                if (name.startsWith("dev.bodyguard.")) {
                    required.add(name.substring("dev.bodyguard.".length()));
                }
            } else {
                required = new TreeSet<>();
                graph.put(name.substring("dev.bodyguard.".length()), required);
            }
        }
        return graph;
    }
}
