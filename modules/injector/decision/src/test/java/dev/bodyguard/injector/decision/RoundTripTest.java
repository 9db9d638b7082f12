package dev.bodyguard.injector.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// Laws of what [Manifests] does to a text, on some hundred texts.
class RoundTripTest {
    private static final Injection INJECTION = new Injection(Given.sidecar());
    private static final Injection CLASSIC = new Injection(Given.sidecar(Sidecar.Shape.CLASSIC));
    private static final int TEXTS = 250;
    private static final long SEED = 20_260_101;

    @Test
    void whatWasInjectedIsTakenOutByteByByte() {
        eachText((seed, text) -> {
            var injected = Manifests.inject("given.yaml", text, INJECTION);

            assertThat(Manifests.uninject("given.yaml", injected.text()).text())
                    .as("seed %d, %s", seed, injected.reports())
                    .isEqualTo(text);
        });
    }

    @Test
    void aClassicSidecarIsTakenOutByteByByte() {
        eachText((seed, text) -> {
            var injected = Manifests.inject("given.yaml", text, CLASSIC);

            assertThat(Manifests.uninject("given.yaml", injected.text()).text())
                    .as("seed %d, %s", seed, injected.reports())
                    .isEqualTo(text);
        });
    }

    @Test
    void everyWorkloadIsInjectedOnce() {
        eachText((seed, text) -> {
            var injected = Manifests.inject("given.yaml", text, INJECTION);

            assertThat(injected.refused())
                    .as("seed %d, %s%n%s", seed, injected.reports(), text)
                    .isFalse();
            assertThat(Manifests.inject("given.yaml", injected.text(), INJECTION)
                            .text())
                    .as("seed %d", seed)
                    .isEqualTo(injected.text());
        });
    }

    @Test
    void theTextSaysWhatTheJsonPatchSays() {
        eachText((seed, text) -> {
            var injected = Manifests.inject("given.yaml", text, INJECTION);
            var before = pods(text);
            var after = pods(injected.text());

            assertThat(after).as("seed %d", seed).hasSameSizeAs(before);
            for (int i = 0; i < before.size(); i++) {
                assertThat(Patched.sorted(Patched.withoutOriginal(after.get(i).tree())))
                        .as("seed %d, %s", seed, before.get(i).workload())
                        .isEqualTo(Patched.sorted(before.get(i).patched()));
            }
        });
    }

    @Test
    void whatTheWebhookAddedIsTakenOutOfWhatTheServerShows() {
        eachText((seed, text) -> {
            for (var pod : pods(text)) {
                var patched = pod.patched();
                var shown = Tree.obj(
                        "apiVersion",
                        "v1",
                        "kind",
                        "Pod",
                        "metadata",
                        Patched.named(patched.at("metadata")),
                        "spec",
                        patched.at("spec"));

                var out = Manifests.uninject("-", shown.json());

                assertThat(Patched.said(pods(out.text()).getFirst().tree().at("spec")))
                        .as("seed %d, %s", seed, out.reports())
                        .isEqualTo(Patched.said(pod.tree().at("spec")));
            }
        });
    }

    private interface Law {
        void holds(long seed, String text);
    }

    private static void eachText(Law law) {
        for (int i = 0; i < TEXTS; i++) {
            long seed = SEED + i;
            RandomGenerator random = new Random(seed);
            law.holds(seed, new Corpus(random).text());
        }
    }

    private record Pod(String workload, Tree tree) {
        Tree patched() {
            return switch (INJECTION.decide(tree, workload, Namespace.optedIn("default"))) {
                case Decision.Injected(var edits, var _) -> Patched.apply(tree, JsonPatch.of(tree, edits));
                case Decision other -> throw new AssertionError(other);
            };
        }
    }

    private static List<Pod> pods(String text) {
        var found = new ArrayList<Pod>();
        var parts = Source.parts(text);
        for (int i = 0; i < parts.size(); i++) {
            int until = i + 1 < parts.size() ? parts.get(i + 1) : text.length();
            try {
                Source.read(text, parts.get(i), until)
                        .forEach(document -> Workload.in(document.root()).forEach(workload -> {
                            if (workload.pod() != null) {
                                found.add(
                                        new Pod(workload.name(), workload.pod().tree()));
                            }
                        }));
            } catch (Unreadable broken) {
                throw new AssertionError(text.substring(Math.max(0, broken.offset() - 200)), broken);
            }
        }
        return found;
    }
}
