package dev.bodyguard.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Part;
import dev.bodyguard.source.files.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TranslationTest {
    private static final Path CASES = Path.of("src/test/cases");

    static List<String> cases() throws IOException {
        try (Stream<Path> folders = Files.list(CASES)) {
            return folders.map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void translates(String name) throws IOException {
        var folder = CASES.resolve(name);
        var parsed = Yaml.parse("given.yaml", Files.readString(folder.resolve("given.yaml")));
        assertThat(parsed.problems()).isEmpty();

        var text = new StringBuilder();
        List<Part> parts = new ArrayList<>();
        for (var document : parsed.documents()) {
            var translation = Dialects.all().translate(document);
            text.append("# ").append(document.origin()).append(translation.refused() ? ": refused\n" : "\n");
            translation
                    .problems()
                    .forEach(problem -> text.append(problem.severity())
                            .append(' ')
                            .append(problem)
                            .append('\n'));
            translation.parts().forEach(part -> text.append(Rendered.of(part)));
            if (translation.refused()) {
                Dialects.all()
                        .inPlaceOf(document)
                        .forEach(part -> text.append("in its place: ").append(Rendered.of(part)));
            }
            parts.addAll(translation.parts());
        }
        text.append("# together\n");
        Mesh.of(parts)
                .problems()
                .forEach(problem -> text.append(problem.severity())
                        .append(' ')
                        .append(problem)
                        .append('\n'));

        var expected = folder.resolve("expected.txt");
        if ("write".equals(System.getProperty("golden"))) {
            Files.writeString(expected, text);
        }
        assertThat(text.toString()).isEqualTo(Files.readString(expected));
    }
}
