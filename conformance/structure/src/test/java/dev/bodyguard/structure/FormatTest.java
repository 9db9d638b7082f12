package dev.bodyguard.structure;

import static org.assertj.core.api.Assertions.assertThat;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.ImportOrderer;
import com.palantir.javaformat.java.JavaFormatterOptions;
import com.palantir.javaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Every Java file is as palantir-java-format would write it. `mvn -pl conformance/structure test
/// -Dtest=FormatTest -Dformat=write` rewrites them.
class FormatTest {
    private final Formatter formatter = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .build());

    @Test
    void everyJavaFileIsFormatted() throws IOException {
        boolean write = System.getProperty("format").equals("write");

        var unformatted = Sources.java().parallelStream()
                .filter(file -> !isFormatted(file, write))
                .map(Sources.ROOT::relativize)
                .toList();

        if (!write) {
            assertThat(unformatted)
                    .as("mvn -pl conformance/structure test -Dtest=FormatTest -Dformat=write formats these")
                    .isEmpty();
        }
    }

    private boolean isFormatted(Path file, boolean write) {
        try {
            String source = Sources.read(file);
            String formatted = formatted(file, source);
            if (write && !formatted.equals(source)) {
                Files.writeString(file, formatted);
            }
            return formatted.equals(source);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private String formatted(Path file, String source) {
        try {
            return ImportOrderer.reorderImports(
                    RemoveUnusedImports.removeUnusedImports(formatter.formatSource(source)),
                    JavaFormatterOptions.Style.PALANTIR);
        } catch (FormatterException broken) {
            throw new AssertionError(Sources.ROOT.relativize(file) + ": " + broken.getMessage(), broken);
        }
    }
}
