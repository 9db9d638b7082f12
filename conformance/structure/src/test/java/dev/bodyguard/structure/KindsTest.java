package dev.bodyguard.structure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/// Kinds of other meshes are in our chart as they are there: every field with its type, the values it may have, its
/// limits and what it is if nothing is said, and no field more. How long a text or a list may be is ours to say, and
/// what
/// is required. The outlines were made from the projects' own definitions, never from our chart.
class KindsTest {
    private static final Path CHART = Sources.ROOT.resolve("charts/bodyguard-crds/templates");
    private static final Path OUTLINES = Path.of("src/test/cases/kinds");

    /// Our own, and one of SMI's, whose specification gives no schema.
    private static final Set<String> WITHOUT_OUTLINE =
            Set.of("ratelimits.bodyguard.dev", "trafficsplits.split.smi-spec.io");

    static Set<String> outlined() throws IOException {
        return names(OUTLINES, ".txt");
    }

    @Test
    void everyKindOfTheChartIsOutlined() throws IOException {
        var all = new TreeSet<>(outlined());
        all.addAll(WITHOUT_OUTLINE);

        assertThat(names(CHART, ".yaml")).isEqualTo(all);
    }

    @ParameterizedTest
    @MethodSource("outlined")
    void hasTheFieldsThatItHasWhereItComesFrom(String name) {
        var outline = Outline.of(Sources.read(OUTLINES.resolve(name + ".txt")));
        var definition = at(definition(name), "spec");

        assertThat(head(definition)).isEqualTo(outline.head());
        for (var version : list(definition.get("versions"))) {
            var fields = new TreeMap<String, String>();
            collect(at(version, "schema", "openAPIV3Schema", "properties", "spec"), "", fields);
            assertThat(fields)
                    .as("%s %s", name, version.get("name"))
                    .containsExactlyInAnyOrderEntriesOf(outline.fields());
        }
    }

    private static List<String> head(Map<?, ?> definition) {
        var names = at(definition, "names");
        var versions = list(definition.get("versions")).stream()
                .map(version -> version.get("name") + (version.get("storage").equals(true) ? "*" : ""))
                .collect(Collectors.joining(" "));
        var head = new ArrayList<>(List.of("kind " + names.get("kind"), "versions " + versions));
        if (names.get("shortNames") instanceof List<?> some) {
            head.add("short " + joined(some, " "));
        }
        return head;
    }

    private static void collect(Map<?, ?> schema, String prefix, Map<String, String> fields) {
        for (var property : at(schema, "properties").entrySet()) {
            var field = (Map<?, ?>) property.getValue();
            var path = prefix + property.getKey();
            fields.put(path, said(field));
            collect(field, path + ".", fields);
            collect(at(field, "items"), path + "[].", fields);
            if (field.get("additionalProperties") instanceof Map<?, ?> any) {
                collect(any, path + "{}.", fields);
            }
        }
    }

    private static String said(Map<?, ?> field) {
        var said = new ArrayList<String>();
        said.add(Boolean.TRUE.equals(field.get("x-kubernetes-int-or-string")) ? "int-or-string" : text(field, "type"));
        if (field.get("enum") instanceof List<?> values) {
            said.add(joined(values, "|"));
        }
        if (field.containsKey("minimum") || field.containsKey("maximum")) {
            said.add(text(field, "minimum") + ".." + text(field, "maximum"));
        }
        if (field.containsKey("default")) {
            said.add("=" + text(field, "default"));
        }
        if (field.containsKey("pattern")) {
            said.add("/" + text(field, "pattern") + "/");
        }
        return String.join(" ", said);
    }

    private static String text(Map<?, ?> field, String name) {
        return field.containsKey(name) ? String.valueOf(field.get(name)) : "";
    }

    private static String joined(List<?> values, String by) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(by));
    }

    /// A template is YAML but for the lines that helm reads.
    private static Map<?, ?> definition(String name) {
        var yaml = Sources.read(CHART.resolve(name + ".yaml"))
                .lines()
                .filter(line -> !line.startsWith("{{"))
                .collect(Collectors.joining("\n"));
        return (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromString(yaml);
    }

    private static Map<?, ?> at(Map<?, ?> map, String... path) {
        Map<?, ?> here = map;
        for (var name : path) {
            here = here.get(name) instanceof Map<?, ?> next ? next : Map.of();
        }
        return here;
    }

    private static List<Map<?, ?>> list(Object list) {
        return ((List<?>) list).stream().<Map<?, ?>>map(one -> (Map<?, ?>) one).toList();
    }

    private static Set<String> names(Path folder, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(suffix))
                    .map(file -> file.substring(0, file.length() - suffix.length()))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
