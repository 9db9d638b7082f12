package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.xds.compile.Compiler;
import dev.bodyguard.xds.compile.Proxy;
import dev.bodyguard.xds.compile.Settings;
import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.config.core.v3.Node;
import java.util.List;
import org.junit.jupiter.api.Test;

class GenerationTest {
    private final Diary diary = new Diary();
    private final Generation generation = new Generation(1, new Compiler(Mesh.of(List.of()), Settings.USUAL), diary);

    @Test
    void replicasShareAView() {
        assertThat(generation.view(proxy("pay", "v1"))).isSameAs(generation.view(proxy("pay", "v1")));
    }

    @Test
    void oneAccountThatSaysEverNewThingsOfItselfIsServedButNotRemembered() {
        for (int i = 0; i < 1_000; i++) {
            var view = generation.view(proxy("hostile", "v" + i));
            assertThat(view.find(TypeUrls.LISTENER, "outbound")).isPresent();
        }
        assertThat(generation.remembered()).isEqualTo(Generation.MOST_VIEWS);
        assertThat(diary.read())
                .hasSize(1_000 - Generation.MOST_VIEWS)
                .containsOnly("not remembered: default/hostile beyond 64");

        assertThat(generation.view(proxy("pay", "v1"))).isSameAs(generation.view(proxy("pay", "v1")));
    }

    private static Proxy proxy(String account, String version) {
        return Proxy.of(Node.newBuilder()
                .setMetadata(Struct.newBuilder()
                        .putFields("GENERATOR", text("bodyguard"))
                        .putFields("NAMESPACE", text("default"))
                        .putFields("SERVICE", text(account))
                        .putFields("SERVICE_ACCOUNT", text(account))
                        .putFields("APP_PORTS", text("8080"))
                        .putFields(
                                "LABELS",
                                Value.newBuilder()
                                        .setStructValue(Struct.newBuilder().putFields("version", text(version)))
                                        .build()))
                .build());
    }

    private static Value text(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }
}
