package dev.bodyguard.structure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Who may require whom (docs/architecture.md, rings). The arrows stand in the module descriptors; this
/// prints them and holds them against what was agreed. `-Dgolden=write` accepts a new picture.
class ModuleGraphTest {
    private static final String OWN = "dev.bodyguard.";
    private static final Pattern NAME = Pattern.compile("^(?:open )?module ([\\w.]+) \\{", Pattern.MULTILINE);
    private static final Pattern REQUIRES =
            Pattern.compile("^\\s*requires (?:static |transitive )*([\\w.]+);", Pattern.MULTILINE);
    private static final Path GOLDEN = Path.of("src/test/cases/module-graph.txt");

    /// They set up grpc-netty's TLS.
    private static final List<String> GRPC_EDGES = List.of("identity.client", "xds.server");

    private final Map<String, SortedSet<String>> graph = graph();
    private final Rings rings = Rings.read();

    @Test
    void arrowsAreTheAgreedOnes() throws IOException {
        var picture = new StringBuilder();
        graph.forEach((module, required) -> {
            picture.append(module).append('\n');
            required.forEach(name -> picture.append("  -> ").append(name).append('\n'));
        });

        if (System.getProperty("golden").equals("write")) {
            Files.writeString(GOLDEN, picture);
        }

        assertThat(picture.toString()).isEqualTo(Files.readString(GOLDEN));
    }

    @Test
    void everyModuleOfTheReactorStandsInOneRing() {
        assertThat(rings.of().keySet()).containsExactlyElementsOf(names());
        assertThat(Rings.reactor()).containsExactlyElementsOf(names());
    }

    @Test
    void modulesRequireLowerRingsOnly() {
        for (String module : names()) {
            int ring = rings.of(module);
            for (String required : own(module)) {
                if (module.equals("standalone") && rings.of(required) == Rings.SERVICES) {
                    continue; // it composes the services
                }
                assertThat(rings.of(required))
                        .as(module + " of ring " + ring + " requires " + required)
                        .isLessThan(ring);
            }
        }
    }

    @Test
    void vocabularyNeedsNoLibrary() {
        for (String module : names()) {
            if (rings.of(module) == 0 && !module.equals("xds.protocol")) {
                assertThat(Libraries.of(foreign(module))).as(module).isEmpty();
            }
        }
    }

    @Test
    void decisionsNeedOneLibraryEachThatDoesNoInputOrOutput() {
        for (String module : names()) {
            if (rings.of(module) == 1) {
                assertThat(Libraries.of(foreign(module)))
                        .as(module)
                        .hasSizeLessThan(2)
                        .isSubsetOf(Libraries.PURE);
            }
        }
    }

    @Test
    void edgesNeedOneLibraryEach() {
        for (String module : names()) {
            if (rings.of(module) == 2) {
                assertThat(Libraries.of(foreign(module)))
                        .as(module)
                        .hasSizeLessThan(module.equals("xds.server") ? 3 : 2);
            }
        }
    }

    @Test
    void proxyKnowsNeitherModelNorHelidon() {
        graph.forEach((module, required) -> {
            if (module.startsWith(OWN + "proxy.")) {
                assertThat(required).as(module).noneMatch(name -> name.startsWith("io.helidon"));
                assertThat(required).as(module).doesNotContain(OWN + "model");
            }
        });
    }

    @Test
    void onlyTheProxyAndTheEdgesOfGrpcKnowNetty() {
        graph.forEach((module, required) -> {
            if (!module.startsWith(OWN + "proxy.") && !GRPC_EDGES.contains(module.substring(OWN.length()))) {
                assertThat(required).as(module).noneMatch(name -> name.startsWith("io.netty"));
            }
        });
    }

    private List<String> names() {
        return graph.keySet().stream()
                .map(name -> name.substring(OWN.length()))
                // They embed the product as anybody may.
                .filter(name -> !name.startsWith("samples."))
                .sorted()
                .toList();
    }

    /// What it requires that is neither ours nor the JDK's.
    private List<String> foreign(String module) {
        return graph.getOrDefault(OWN + module, new TreeSet<>()).stream()
                .filter(name -> !name.startsWith(OWN))
                .toList();
    }

    private List<String> own(String module) {
        var required = new ArrayList<String>();
        for (String name : graph.getOrDefault(OWN + module, new TreeSet<>())) {
            if (name.startsWith(OWN)) {
                required.add(name.substring(OWN.length()));
            }
        }
        return required;
    }

    private static Map<String, SortedSet<String>> graph() {
        var graph = new TreeMap<String, SortedSet<String>>();
        for (Path descriptor : Sources.moduleDescriptors()) {
            String source = Sources.read(descriptor);
            var name = NAME.matcher(source);
            assertThat(name.find()).as("a module's name in " + descriptor).isTrue();
            var required = new TreeSet<String>();
            REQUIRES.matcher(source).results().forEach(match -> required.add(match.group(1)));
            graph.put(name.group(1), required);
        }
        return graph;
    }
}
