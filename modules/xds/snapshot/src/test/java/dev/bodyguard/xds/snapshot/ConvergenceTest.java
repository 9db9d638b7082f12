package dev.bodyguard.xds.snapshot;

import static dev.bodyguard.xds.snapshot.Transcript.request;
import static dev.bodyguard.xds.snapshot.Transcript.resource;
import static dev.bodyguard.xds.snapshot.TypeUrls.CLUSTER;
import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The law of the delta protocol: whatever was said in whatever order, the client ends up with what it subscribed to,
/// as it is now, and was never sent what it had.
class ConvergenceTest {
    private static final List<String> NAMES = List.of("a", "b", "c", "d", "e", "f");

    @Test
    void aClientEndsUpWithWhatItSubscribedTo() {
        var seeds = new Random();
        for (var run = 0; run < 300; run++) {
            var seed = seeds.nextLong();
            conversation(new Random(seed), seed);
        }
    }

    private static void conversation(Random random, long seed) {
        var client = new Client();
        var resources = generation(random);
        var session = new DeltaSession(resources, Limits.ordinary());
        for (var step = 0; step < 25; step++) {
            var name = NAMES.get(random.nextInt(NAMES.size()));
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    resources = generation(random);
                    client.take(session.offer(resources), false, seed);
                }
                case 2 -> {
                    client.names.add(name);
                    client.take(session.hear(client.says(name)), true, seed);
                }
                case 3 -> {
                    if (client.introduced) {
                        client.names.remove(name);
                        client.forgetUnwanted();
                        client.take(
                                session.hear(request(CLUSTER)
                                        .addResourceNamesUnsubscribe(name)
                                        .build()),
                                true,
                                seed);
                    }
                }
                case 4 -> {
                    client.all = true;
                    client.take(session.hear(client.says("*")), true, seed);
                }
                default -> {
                    if (client.introduced) {
                        session = new DeltaSession(resources, Limits.ordinary());
                        client.take(session.hear(client.comesBack()), false, seed);
                    }
                }
            }
            if (client.introduced) {
                assertThat(client.has).as("seed %d, step %d", seed, step).isEqualTo(client.shouldHave(resources));
            }
        }
    }

    private static Snapshot generation(Random random) {
        var resources = new ArrayList<NamedResource>();
        for (var name : NAMES) {
            if (random.nextBoolean()) {
                resources.add(resource(CLUSTER, name, String.valueOf(random.nextInt(3))));
            }
        }
        return Snapshot.of("g", resources);
    }

    private static final class Client {
        private final Set<String> names = new HashSet<>();
        private boolean all;
        private boolean introduced;
        private final Map<String, String> has = new TreeMap<>();

        io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest says(String subscribe) {
            introduced = true;
            return request(CLUSTER).addResourceNamesSubscribe(subscribe).build();
        }

        io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest comesBack() {
            var request = request(CLUSTER).addAllResourceNamesSubscribe(names).putAllInitialResourceVersions(has);
            if (all || names.isEmpty()) {
                all = true;
                request.addResourceNamesSubscribe("*");
            }
            return request.build();
        }

        void forgetUnwanted() {
            if (!all) {
                has.keySet().retainAll(names);
            }
        }

        void take(Reaction<DeltaDiscoveryResponse> reaction, boolean mayRepeat, long seed) {
            var answer = (Reaction.Answer<DeltaDiscoveryResponse>) reaction;
            for (var response : answer.send()) {
                for (var resource : response.getResourcesList()) {
                    var before = has.put(resource.getName(), resource.getVersion());
                    if (!mayRepeat) {
                        assertThat(resource.getVersion())
                                .as("seed %d: sent although the client has it", seed)
                                .isNotEqualTo(before);
                    }
                }
                response.getRemovedResourcesList().forEach(has::remove);
            }
        }

        Map<String, String> shouldHave(Snapshot resources) {
            var should = new HashMap<String, String>();
            for (var name : all ? Set.copyOf(resources.names(CLUSTER)) : names) {
                resources.find(CLUSTER, name).ifPresent(resource -> should.put(name, resource.version()));
            }
            return should;
        }
    }
}
