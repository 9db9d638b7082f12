package dev.bodyguard.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.service.Keys;
import dev.bodyguard.standalone.Settings.Port;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SettingsTest {
    @Test
    void twoServicesCannotHaveOnePort() {
        assertThatThrownBy(() -> from("--identity-port", "20000", "--admin-port=20000"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("--identity-port and --admin-port are both 20000; give each a port of its own");
        assertThatThrownBy(() -> from("--xds-port", "15013"))
                .hasMessageStartingWith("--xds-port and --identity-port are both 15013");
    }

    @Test
    void anyFreePortMayBeAskedForOften() {
        assertThat(from("--identity-port", "0", "--admin-port", "0").port(Port.ADMIN))
                .isZero();
    }

    @Test
    void whatIsUnknownNeedsNoValue() {
        assertThatThrownBy(() -> from("--bogus")).hasMessageStartingWith("--bogus is not known here\n");
        assertThatThrownBy(() -> from("extra")).hasMessageStartingWith("extra is not known here\n");
        assertThatThrownBy(() -> from("--state")).hasMessageStartingWith("--state needs a value\n");
    }

    @Test
    void aStateFolderThatCannotBeIsNamedWithTheReason() {
        assertThatThrownBy(() -> StateFolder.claim(Path.of("/dev/null")))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("state folder /dev/null cannot be made or written to (java.nio.file.")
                .hasMessageEndingWith("); name another folder with --state");
    }

    private static Settings from(String... more) {
        var all = new String[more.length + 2];
        all[0] = "-f";
        all[1] = ".";
        System.arraycopy(more, 0, all, 2, more.length);
        return Settings.from(new Keys(Map.of()), all);
    }
}
