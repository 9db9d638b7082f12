package dev.bodyguard.proxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.BoolValue;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RouteIndexTest {
    private static final long SEED = 20_260_101;

    private final Random random = new Random(SEED);

    @Test
    void decidesAsIfEachRuleWereAskedInOrder() throws Invalid {
        for (int round = 0; round < 300; round++) {
            var host = VirtualHost.newBuilder().setName("80/pay");
            for (int i = random.nextInt(40); i >= 0; i--) {
                host.addRoutes(Route.newBuilder()
                        .setMatch(match())
                        .setRoute(RouteAction.newBuilder().setCluster("c")));
            }
            var compiled = Hosts.compile(host.build());
            for (int i = 0; i < 50; i++) {
                var head = Given.get(path() + (random.nextInt(4) == 0 ? "?q=/a" : ""));

                assertThat(compiled.index().first(head))
                        .as("seed %d, %s, %s", SEED, host, head.path())
                        .isEqualTo(firstOf(compiled, head));
            }
        }
    }

    private static int firstOf(Hosts.Host host, RequestHead head) {
        for (int i = 0; i < host.rules().size(); i++) {
            if (host.rules().get(i).matches().test(head)) {
                return i;
            }
        }
        return -1;
    }

    private RouteMatch match() {
        var match = RouteMatch.newBuilder();
        switch (random.nextInt(5)) {
            case 0 -> match.setPath(path());
            case 1 -> match.setPathSeparatedPrefix("/" + "ab".charAt(random.nextInt(2)));
            case 2 -> match.setSafeRegex(RegexMatcher.newBuilder().setRegex("/a.*b"));
            default -> match.setPrefix(path());
        }
        if (random.nextInt(5) == 0) {
            match.setCaseSensitive(BoolValue.of(false));
        }
        return match.build();
    }

    /// Of so few letters that most meet several rules.
    private String path() {
        var path = new StringBuilder("/");
        for (int i = random.nextInt(5); i > 0; i--) {
            path.append("abA/".charAt(random.nextInt(4)));
        }
        return path.toString();
    }
}
