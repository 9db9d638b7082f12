package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.UInt64Value;
import dev.bodyguard.proxy.engine.OpaqueRouting;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.route.v3.RouteAction.HashPolicy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Four instances behind a cluster that hashes, called through a sidecar.
class StickinessTest {
    private static final String PAY = "http://payment-service/pay";
    private static final String LEDGER = "5432/ledger";

    private final List<App> apps = new ArrayList<>();
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        for (int i = 0; i < 4; i++) {
            var name = "app-" + i;
            apps.add(new App((request, answer) -> {
                if (request.first().contains("/fail")) {
                    answer.send(500, name);
                } else {
                    answer.send(200, name);
                }
            }));
        }
        var authority = new TestAuthority("cluster.local");
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config.put(Resources.LISTENER, "outbound", Given.outboundBlockingUnknown());
        there(4);
        hashing(Cluster.LbPolicy.RING_HASH);
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        for (var app : apps) {
            app.close();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING_HASH", "MAGLEV"})
    void oneHeadersValueKeepsToOneInstanceAndOnlyTheKeysOfOneThatLeavesMove(Cluster.LbPolicy policy)
            throws IOException {
        hashing(policy);
        by(HashPolicy.newBuilder()
                .setHeader(HashPolicy.Header.newBuilder().setHeaderName("X-User"))
                .build());
        var homes = homes();

        assertThat(new HashSet<>(homes.values())).hasSize(4);
        for (int i = 0; i < 3; i++) {
            assertThat(homes()).isEqualTo(homes);
        }

        there(3);
        TestSidecar.eventually(
                "three are left",
                () -> Objects.requireNonNull(caller.plan().cluster(Given.CLUSTER))
                                .endpoints()
                                .size()
                        == 3);
        var after = homes();
        long moved = homes.entrySet().stream()
                .filter(home -> !home.getValue().equals("app-3"))
                .filter(home -> !home.getValue().equals(after.get(home.getKey())))
                .count();
        assertThat(after.values()).doesNotContain("app-3");
        // Maglev's table is filled anew, so that a few of the others' go elsewhere, too.
        assertThat(moved).isLessThanOrEqualTo(policy == Cluster.LbPolicy.RING_HASH ? 0 : homes.size() / 10);
    }

    @Test
    void whoHasNoKeyIsSpread() throws IOException {
        by(HashPolicy.newBuilder()
                .setHeader(HashPolicy.Header.newBuilder().setHeaderName("x-user"))
                .build());

        var seen = new HashSet<String>();
        for (int i = 0; i < 200; i++) {
            seen.add(caller.get(PAY).body());
        }
        assertThat(seen).hasSize(4);
    }

    @Test
    void aCookieIsGivenOnceAndSticks() throws IOException {
        by(HashPolicy.newBuilder()
                .setCookie(HashPolicy.Cookie.newBuilder()
                        .setName("lb")
                        .setTtl(Given.seconds(3_600))
                        .setPath("/pay")
                        .addAttributes(HashPolicy.CookieAttribute.newBuilder()
                                .setName("SameSite")
                                .setValue("Lax")))
                .build());

        var homes = new HashSet<String>();
        for (int client = 0; client < 40; client++) {
            var first = caller.get(PAY);
            var given = first.headers().getOrDefault("set-cookie", "none");
            assertThat(given).matches("lb=\"[0-9a-f]{16}\"; Max-Age=3600; Path=/pay; SameSite=Lax; HttpOnly");
            var kept = given.substring(0, given.indexOf(';'));
            homes.add(first.body());
            for (int i = 0; i < 5; i++) {
                var next =
                        caller.ask("GET", PAY, "cookie: a=b; " + kept.replace("\"", i == 0 ? "" : "\"") + "\r\n", "");
                assertThat(next.body()).isEqualTo(first.body());
                assertThat(next.headers()).doesNotContainKey("set-cookie");
            }
        }
        assertThat(homes).hasSize(4);

        assertThat(caller.get("http://payment-service/fail").headers().get("set-cookie"))
                .as("an error of the app's is an answer like any other")
                .startsWith("lb=");
    }

    @Test
    void aCookieForASessionHasNoAge() throws IOException {
        by(HashPolicy.newBuilder()
                .setCookie(HashPolicy.Cookie.newBuilder().setName("lb").setTtl(Given.seconds(0)))
                .build());

        assertThat(caller.get(PAY).headers().get("set-cookie")).matches("lb=\"[0-9a-f]{16}\"; HttpOnly");
    }

    @Test
    void allFromOneAddressGoToOneInstance() throws IOException {
        by(HashPolicy.newBuilder()
                .setConnectionProperties(
                        HashPolicy.ConnectionProperties.newBuilder().setSourceIp(true))
                .build());

        var seen = new HashSet<String>();
        for (int i = 0; i < 50; i++) {
            seen.add(caller.get(PAY).body());
        }
        assertThat(seen).hasSize(1);
    }

    /// Bytes have no headers.
    @Test
    void bytesGoByTheAddressWhereThatIsTheKeyAndElseByChance() throws IOException {
        caller.config.put(Resources.VIRTUAL_HOST, LEDGER, Given.knownBy(LEDGER, "tcpCluster", Given.CLUSTER));
        assertThat(dialled(60)).hasSize(4);

        caller.config.put(
                Resources.VIRTUAL_HOST,
                LEDGER,
                Given.knownBy(LEDGER, "tcpCluster", Given.CLUSTER, "tcpHash", "source"));
        TestSidecar.eventually(
                "connections are hashed",
                () -> caller.plan().opaque(LEDGER) instanceof OpaqueRouting.To(var _, var bySource, var _) && bySource);
        assertThat(dialled(20)).hasSize(1);
    }

    /// Which instances got connections; none of them understands what it is sent.
    private Map<Integer, Integer> dialled(int times) throws IOException {
        var counts = new HashMap<Integer, Integer>();
        for (int i = 0; i < times; i++) {
            int before = caller.lines();
            try (var socket = caller.connect()) {
                var out = socket.getOutputStream();
                out.write("CONNECT ledger:5432 HTTP/1.1\r\nhost: ledger:5432\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII));
                Http1.need(socket.getInputStream(), true);
                out.write("\0\1\n".getBytes(StandardCharsets.US_ASCII));
                socket.shutdownOutput();
                socket.getInputStream().readAllBytes();
            }
            var line = caller.line(before + 1);
            for (var app : apps) {
                if (line.contains("\"upstream_host\":\"127.0.0.1:" + app.port() + "\"")) {
                    counts.merge(app.port(), 1, Integer::sum);
                }
            }
        }
        return counts;
    }

    /// Where each of some users is served.
    private Map<String, String> homes() throws IOException {
        var homes = new HashMap<String, String>();
        for (int i = 0; i < 60; i++) {
            homes.put(
                    "user-" + i,
                    caller.ask("GET", PAY, "x-user: user-" + i + "\r\n", "").body());
        }
        return homes;
    }

    private void by(HashPolicy policy) throws IOException {
        caller.config.put(
                Resources.VIRTUAL_HOST,
                "80/payment-service",
                Given.host(
                        "80/payment-service",
                        Given.route(Given.to(Given.CLUSTER).addHashPolicy(policy))));
        assertThat(caller.get(PAY).status()).isEqualTo(200);
    }

    private void hashing(Cluster.LbPolicy policy) {
        caller.config.put(
                Resources.CLUSTER,
                Given.CLUSTER,
                Given.cluster().toBuilder()
                        .clearTransportSocketMatches()
                        .setLbPolicy(policy)
                        .setRingHashLbConfig(
                                Cluster.RingHashLbConfig.newBuilder().setMinimumRingSize(UInt64Value.of(256)))
                        .build());
    }

    private void there(int howMany) {
        var assignment = Given.meshed(
                apps.subList(0, howMany).stream().mapToInt(App::port).toArray());
        caller.config.put(Resources.ASSIGNMENT, Given.CLUSTER, assignment);
    }
}
