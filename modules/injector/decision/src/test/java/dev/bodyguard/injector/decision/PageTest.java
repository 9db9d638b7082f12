package dev.bodyguard.injector.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Holds `docs/injection.md` to what is obeyed.
class PageTest {
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    @Test
    void namesEveryWayToAskAndNoOther() throws Exception {
        assertThat(names("Who gets one", 3)).isEqualTo(constants(OptIn.class));
    }

    @Test
    void namesEveryAnnotationThatIsObeyedAndNoOther() throws Exception {
        assertThat(names("What a pod can say of its sidecar", 1)).isEqualTo(constants(Annotations.class));
    }

    @Test
    void whatItSaysToBeIgnoredIsToldSo() throws Exception {
        var families = codes(section("What is ignored")).stream()
                .filter(name -> name.endsWith("/"))
                .toList();

        assertThat(families).isNotEmpty();
        for (String family : families) {
            assertThat(Annotations.ignored(Map.of(family + "nobodys", "x"), Map.of(), Given.plain()))
                    .as(family)
                    .singleElement()
                    .asString()
                    .contains("is ignored");
        }
    }

    /// Names in a column of the only table of a section.
    private static Set<String> names(String title, int column) throws IOException {
        var all = new TreeSet<String>();
        section(title)
                .lines()
                .filter(line -> line.startsWith("|"))
                .skip(2)
                .forEach(row -> all.addAll(codes(row.split("\\|", -1)[column])));
        return all;
    }

    private static List<String> codes(String text) {
        return CODE.matcher(text).results().map(found -> found.group(1)).toList();
    }

    private static String section(String title) throws IOException {
        var page = Files.readString(Path.of("../../../docs/injection.md"));
        var from = page.indexOf("\n## " + title + "\n");
        assertThat(from).as(title).isNotNegative();
        var to = page.indexOf("\n## ", from + 1);
        return to < 0 ? page.substring(from) : page.substring(from, to);
    }

    /// Names that a class shares with the rest of its package: those that are obeyed.
    private static Set<String> constants(Class<?> holder) throws IllegalAccessException {
        var names = new TreeSet<String>();
        for (var field : holder.getDeclaredFields()) {
            if (!Modifier.isPrivate(field.getModifiers())) {
                switch (field.get(null)) {
                    case String name -> names.add(name);
                    case List<?> several -> several.forEach(name -> names.add(String.valueOf(name)));
                    case Object other -> throw new AssertionError(field + " is " + other);
                }
            }
        }
        return names;
    }
}
