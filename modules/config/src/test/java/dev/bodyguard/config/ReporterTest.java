package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Value;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.server.ClientState;
import dev.bodyguard.xds.server.Peer;
import io.envoyproxy.envoy.config.core.v3.Node;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReporterTest {
    @Test
    void aProxyHasADocumentOnceItTookAGenerationThatDoes() {
        var standing = new Standing(document(), true, "", "", 7);

        var verdicts = Reporter.verdicts(
                List.of(standing),
                List.of(
                        proxy("7", true, Map.of()),
                        proxy("9", true, Map.of()),
                        proxy("6", true, Map.of()),
                        proxy("9", false, Map.of()),
                        proxy("9", true, Map.of("a type", Map.of("a resource", "no")))));

        assertThat(verdicts).containsOnlyKeys("test/Plain/default/a");
        var verdict = verdicts.values().iterator().next();
        assertThat(verdict.getInForce()).isEqualTo(2);
        assertThat(verdict.getProxies()).isEqualTo(5);
        assertThat(verdict.getGeneration()).isEqualTo(3);
    }

    private static ClientState proxy(String offered, boolean settled, Map<String, Map<String, String>> refused) {
        return new ClientState(
                new Client(1, Node.getDefaultInstance(), new Peer(List.of(), "")), offered, settled, Map.of(), refused);
    }

    private static Document document() {
        var head = new Value.Mapping(List.of(new Value.Entry("generation", new Value.Int(3, null), null)), null);
        return new Document(
                "test/v1",
                "Plain",
                "default",
                "a",
                "12",
                new Value.Mapping(List.of(new Value.Entry("metadata", head, null)), null));
    }
}
