package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class AppPlaceTest {
    private static final InetAddress OWN = InetAddress.ofLiteral("10.244.0.7");
    private static final InetAddress OWN_6 = InetAddress.ofLiteral("fd00::7");

    private final AppPlace place = new AppPlace(List.of(OWN, OWN_6), List.of(8080));

    @Test
    void isWhereTheCallerMeantThenLoopback() {
        assertThat(place.of(meant(8080), 0)).contains(at("10.244.0.7", 8080));
        assertThat(place.of(meant(8080), 1)).contains(at("127.0.0.1", 8080));
        assertThat(place.of(meant(8080), 2)).contains(at("::1", 8080));
        assertThat(place.of(meant(8080), 3)).isEmpty();
    }

    @Test
    void isNeverLoopbackForAPortThatThePodDoesNotDeclare() {
        assertThat(place.of(meant(6060), 0)).contains(at("10.244.0.7", 6060));
        assertThat(place.of(meant(6060), 1)).isEmpty();
    }

    @Test
    void isFirstOfAllWhereItWasFound() {
        place.found(at("::1", 8080));
        assertThat(place.of(meant(8080), 0)).contains(at("::1", 8080));
        assertThat(place.of(meant(8080), 1)).contains(at("10.244.0.7", 8080));
        assertThat(place.of(meant(8080), 2)).contains(at("127.0.0.1", 8080));

        place.found(at("10.244.0.7", 8080));
        assertThat(place.of(meant(8080), 0)).contains(at("10.244.0.7", 8080));
    }

    @Test
    void isComeToFromAnAddressThatTheKernelKnows() {
        assertThat(place.from(OWN)).contains(InetAddress.ofLiteral("127.0.0.6"));
        assertThat(place.from(OWN_6)).contains(InetAddress.ofLiteral("::6"));
        assertThat(place.from(InetAddress.ofLiteral("127.0.0.1"))).isEmpty();
    }

    private static InetSocketAddress meant(int port) {
        return new InetSocketAddress(OWN, port);
    }

    private static InetSocketAddress at(String host, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(host), port);
    }
}
