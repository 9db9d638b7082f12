package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.proxy.sidecar.FromConfig.Word;
import dev.bodyguard.xds.client.Applied;
import dev.bodyguard.xds.client.Events;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class FromConfigTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    private final List<String> applied = new ArrayList<>();
    private final List<String> lost = new ArrayList<>();
    private final FromConfig config = new FromConfig(
            (type, _, _) -> {
                applied.add(type);
                return Applied.all();
            },
            () -> lost.add("lost"),
            Events.none());

    @Test
    void isWaitedForUntilItsListenersAreInForce() throws Exception {
        var word = CompletableFuture.supplyAsync(this::await);
        config.connected();
        config.apply(Resources.CLUSTER, List.of(), List.of());
        assertThat(config.await(Duration.ZERO)).isEqualTo(Word.SILENT);

        config.apply(Resources.LISTENER, List.of(), List.of());

        assertThat(word.get(30, TimeUnit.SECONDS)).isEqualTo(Word.SPOKEN);
        assertThat(applied).containsExactly(Resources.CLUSTER, Resources.LISTENER);
    }

    @Test
    void isNotWaitedForWhereItCannotBeReached() throws Exception {
        var word = CompletableFuture.supplyAsync(this::await);

        config.lost("refused", Duration.ZERO);

        assertThat(word.get(30, TimeUnit.SECONDS)).isEqualTo(Word.UNREACHABLE);
        assertThat(lost).containsExactly("lost");
    }

    private Word await() {
        try {
            return config.await(LONG);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
