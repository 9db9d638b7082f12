package dev.bodyguard.injector.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Nothing that another mesh's user may have written is passed over in silence: it is obeyed or named.
class KnownAnnotationsTest {
    private static final Path NAMES = Path.of("src/test/known-annotations.txt");

    static Stream<String> names() throws IOException {
        return Files.readAllLines(NAMES).stream().filter(line -> !line.startsWith("#"));
    }

    @ParameterizedTest
    @MethodSource("names")
    void isObeyedOrNamed(String line) {
        var words = line.split(" ", -1);
        var name = words[2];
        boolean label = words[1].equals("label");
        boolean ofPod = words[0].equals("pod");

        var said = ofPod ? saidOfAPod(label, name) : saidOfAService(label, name);

        boolean obeyed = label
                ? ofPod && Annotations.isObeyedLabel(name)
                : ofPod ? Annotations.isObeyed(name) : ServiceAnnotations.isObeyed(name);
        if (obeyed) {
            assertThat(said).isEmpty();
        } else {
            assertThat(said)
                    .singleElement()
                    .asString()
                    .startsWith((label ? "label " : "") + name + " is ignored: ")
                    .hasSizeLessThan(200);
        }
    }

    private static List<String> saidOfAPod(boolean label, String name) {
        var of = Map.of(name, "x");
        return Annotations.ignored(label ? Map.of() : of, label ? of : Map.of(), Given.plain());
    }

    private static List<String> saidOfAService(boolean label, String name) {
        return ServiceAnnotations.ignored(
                Tree.obj("metadata", Tree.obj(label ? "labels" : "annotations", Tree.obj(name, "x"))));
    }
}
