package dev.bodyguard.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KeysTest {
    private enum Colour {
        RED,
        BLUE
    }

    @Test
    void whatIsNotSetIsAsUsual() {
        var keys = new Keys(Map.of("BLANK", " "));

        assertThat(keys.text("BLANK", "usual")).isEqualTo("usual");
        assertThat(keys.port("PORT", 15014)).isEqualTo(15014);
        assertThat(keys.duration("LEASE", Duration.ofSeconds(10))).isEqualTo(Duration.ofSeconds(10));
        assertThat(keys.choice("COLOUR", Colour.BLUE)).isEqualTo(Colour.BLUE);
        assertThat(keys.asked()).containsExactlyInAnyOrder("BLANK", "PORT", "LEASE", "COLOUR");
    }

    @Test
    void whatIsSetIsRead() {
        var keys = new Keys(Map.of("PORT", "0", "MOST", "7", "LEASE", "PT3S", "COLOUR", "red"));

        assertThat(keys.port("PORT", 15014)).isZero();
        assertThat(keys.count("MOST", 1)).isEqualTo(7);
        assertThat(keys.duration("LEASE", Duration.ZERO)).isEqualTo(Duration.ofSeconds(3));
        assertThat(keys.choice("COLOUR", Colour.BLUE)).isEqualTo(Colour.RED);
    }

    @Test
    void nonsenseIsNamedWithItsKeyAndTheWayOut() {
        var keys = new Keys(Map.of("PORT", "70000", "MOST", "0", "LEASE", "10s", "COLOUR", "green"));

        assertThatThrownBy(() -> keys.port("PORT", 1)).hasMessage("PORT must be a port, 0 to 65535, was '70000'");
        assertThatThrownBy(() -> keys.count("MOST", 1)).hasMessage("MOST must be a number, 1 or more, was '0'");
        assertThatThrownBy(() -> keys.duration("LEASE", Duration.ZERO))
                .hasMessage("LEASE must be a duration such as PT24H, was '10s'");
        assertThatThrownBy(() -> keys.choice("COLOUR", Colour.BLUE))
                .hasMessage("COLOUR must be RED or BLUE, was green");
        assertThatThrownBy(() -> keys.path("STATE", "the folder with the keys"))
                .hasMessage("STATE is not set: name the folder with the keys");
    }
}
