package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `docs/protocols.md` beside the code.
class ProtocolsPageTest {
    private static final Path ROOT = Path.of("../../..");
    private static final Pattern LIMIT =
            Pattern.compile("^\\| `([\\w.]+)` \\| ([0-9,]+)(?: (KiB|MiB|ms|s|min))? \\| .+ \\|$", Pattern.MULTILINE);
    private static final Pattern TEST = Pattern.compile("`(\\w+Test)(?:\\.(\\w+))?`");
    private static final Pattern CASE = Pattern.compile("([\\w-]+)\\.vtc");
    private static final Map<String, Long> UNITS =
            Map.of("KiB", 1L << 10, "MiB", 1L << 20, "ms", 1L, "s", 1_000L, "min", 60_000L);

    @Test
    void tellsEachLimitAsItIsInForce() throws Exception {
        var told = new TreeMap<String, Long>();
        LIMIT.matcher(page()).results().forEach(row -> told.put(row.group(1), number(row)));
        var inForce = new TreeMap<String, Long>();
        for (var component : Limits.class.getRecordComponents()) {
            inForce.put(component.getName(), number(component.getAccessor().invoke(Limits.DEFAULTS)));
        }
        for (var constant : told.keySet()) {
            if (constant.contains(".")) {
                inForce.put(constant, number(constant(constant)));
            }
        }

        assertThat(told).isEqualTo(inForce).hasSizeGreaterThan(20);
    }

    @Test
    void namesTestsThatThereAre() throws IOException {
        var tests = tests();
        var named = TEST.matcher(page())
                .results()
                .filter(test -> !test.group(1).equals("ProtocolsPageTest"))
                .toList();

        assertThat(named).hasSizeGreaterThan(25);
        assertThat(named.stream()
                        .filter(test -> !tests.containsKey(test.group(1))
                                || (test.group(2) != null
                                        && !tests.get(test.group(1)).contains("void " + test.group(2) + "(")))
                        .map(MatchResult::group))
                .isEmpty();
    }

    @Test
    void namesSuitesAndCasesThatThereAre() throws IOException {
        for (var suite : List.of("http1", "h2spec", "grpc-interop")) {
            assertThat(page()).contains("`" + suite + "`");
            assertThat(ROOT.resolve("conformance/" + suite + "/run")).isExecutable();
        }
        var cases = ROOT.resolve("conformance/http1/cases");
        assertThat(CASE.matcher(page()).results().map(MatchResult::group))
                .hasSizeGreaterThan(5)
                .allSatisfy(name -> assertThat(cases.resolve(name)).exists());
        try (var all = Files.list(cases)) {
            assertThat(page()).contains(all.count() + " cases for varnishtest");
        }
    }

    private static String page() throws IOException {
        return Files.readString(ROOT.resolve("docs/protocols.md"));
    }

    /// The proxy's, by their names.
    private static Map<String, String> tests() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of(".."))) {
            return files.filter(file -> file.toString().matches("\\.\\./\\w+/src/test/java/.*Test\\.java"))
                    .collect(Collectors.toMap(
                            file -> file.getFileName().toString().replace(".java", ""), ProtocolsPageTest::read));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException broken) {
            throw new java.io.UncheckedIOException(broken);
        }
    }

    private static long number(MatchResult row) {
        long count = Long.parseLong(row.group(2).replace(",", ""));
        return row.group(3) == null ? count : count * UNITS.getOrDefault(row.group(3), 0L);
    }

    private static long number(Object value) {
        return value instanceof Duration time ? time.toMillis() : ((Number) value).longValue();
    }

    private static Object constant(String name) throws ReflectiveOperationException {
        var parts = name.split("\\.", 2);
        var type = Class.forName(ProtocolsPageTest.class.getPackageName() + "." + parts[0]);
        var field = Arrays.stream(type.getDeclaredFields())
                .filter(one -> one.getName().equals(parts[1]))
                .findFirst()
                .orElseThrow(() -> new NoSuchFieldException(name));
        field.setAccessible(true);
        return field.get(null);
    }
}
