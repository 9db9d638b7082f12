package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class PlannerTest {
    @Test
    void asksLaterForWhatTheAppWantedBeforeThereWasAnyoneToAsk() throws InterruptedException {
        BlockingQueue<String> asked = new LinkedBlockingQueue<>();
        try (var planner = new Planner(
                new InForce<>(new Generation(Plan.EMPTY)), new Loads(), Duration.ofSeconds(2), (_, _) -> {})) {
            planner.want("80/given-up", List.of());
            planner.want("80/payment-service", List.of("80/given-up"));

            planner.askThrough(new Planner.Subscriptions() {
                @Override
                public void subscribe(String type, Collection<String> names) {
                    asked.addAll(names);
                }

                @Override
                public void unsubscribe(String type, Collection<String> names) {
                    asked.add("not " + names);
                }
            });

            for (var name : List.of(Planner.OUTBOUND, Planner.INBOUND, "80/payment-service")) {
                assertThat(asked.poll(30, TimeUnit.SECONDS)).isEqualTo(name);
            }
            assertThat(asked).isEmpty();
        }
    }
}
