package dev.bodyguard.structure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What `conformance/README.md` says of the suites, beside the folders and what `conformance/run` makes of them.
class SuitesTest {
    private static final Path CONFORMANCE = Sources.ROOT.resolve("conformance");
    private static final Pattern ROW = Pattern.compile("^\\| `([^`]+)` \\| (\\S*) ?\\| .+ \\|$", Pattern.MULTILINE);
    private static final Pattern GROUP = Pattern.compile("^ {2}\\[([a-z]+)]=\"([^\"]+)\"$", Pattern.MULTILINE);

    @Test
    void eachSuiteHasARow() throws IOException {
        try (var folders = Files.list(CONFORMANCE)) {
            List<String> suites = folders.filter(folder -> Files.isExecutable(folder.resolve("run")))
                    .map(folder -> folder.getFileName().toString())
                    .toList();

            assertThat(rows().keySet()).containsExactlyInAnyOrderElementsOf(suites);
        }
    }

    @Test
    void eachRowNamesTheGroupThatRunsIt() {
        var groups = new TreeMap<String, String>();
        GROUP.matcher(Sources.read(CONFORMANCE.resolve("run")))
                .results()
                .forEach(group ->
                        Arrays.stream(group.group(2).split(" ")).forEach(suite -> groups.put(suite, group.group(1))));

        assertThat(new TreeSet<>(groups.values())).contains("fast", "mesh", "cluster", "release");
        assertThat(rows().entrySet().stream()
                        .filter(row -> !row.getValue().isEmpty())
                        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)))
                .isEqualTo(groups);
    }

    /// The group of each suite, by the page.
    private static Map<String, String> rows() {
        var rows = new TreeMap<String, String>();
        ROW.matcher(Sources.read(CONFORMANCE.resolve("README.md")))
                .results()
                .forEach(row -> assertThat(rows.put(row.group(1), row.group(2)))
                        .as("rows of %s before its last", row.group(1))
                        .isNull());
        return rows;
    }
}
