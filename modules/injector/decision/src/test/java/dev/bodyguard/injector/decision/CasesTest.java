package dev.bodyguard.injector.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Folders of `given.yaml`, what injection makes of it, and what it reports. `-Dgolden=write` accepts.
class CasesTest {
    private static final Path CASES = Path.of("src/test/cases");

    static Stream<String> cases() throws IOException {
        try (var folders = Files.list(CASES)) {
            return folders.map(folder -> folder.getFileName().toString()).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void injects(String name) throws IOException {
        var folder = CASES.resolve(name);
        var given = Files.readString(folder.resolve("given.yaml"));

        var result = Manifests.inject("given.yaml", given, new Injection(Given.sidecar()));

        matches(folder.resolve("injected.yaml"), result.text());
        matches(
                folder.resolve("report.txt"),
                result.reports().stream()
                        .flatMap(report -> report.lines().stream())
                        .collect(Collectors.joining("\n", "", "\n")));
        if (!name.equals("already-injected")) {
            assertThat(Manifests.uninject("given.yaml", result.text()).text()).isEqualTo(given);
        }
    }

    private static void matches(Path golden, String text) throws IOException {
        if (System.getProperty("golden", "compare").equals("write")) {
            Files.writeString(golden, text);
        }
        assertThat(text).isEqualTo(Files.readString(golden));
    }
}
