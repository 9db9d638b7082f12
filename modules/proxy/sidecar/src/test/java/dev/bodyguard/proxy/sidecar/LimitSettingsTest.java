package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.proxy.wire.Limits;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LimitSettingsTest {
    @Test
    void areTheDefaultsWhereNothingIsSaid() {
        assertThat(LimitSettings.read("--limits", "")).isEqualTo(Limits.DEFAULTS);
    }

    @Test
    void canEachBeSetByItsNameAndChangeNothingElse() throws ReflectiveOperationException {
        for (var component : Limits.class.getRecordComponents()) {
            boolean time = component.getType() == Duration.class;
            var limits = LimitSettings.read(
                    "--limits",
                    component.getName()
                            + (time ? "=7s" : "=70000")
                                    .replace("70000", component.getName().equals("fieldCount") ? "7000" : "70000"));

            for (var other : Limits.class.getRecordComponents()) {
                var value = other.getAccessor().invoke(limits);
                if (other.getName().equals(component.getName())) {
                    assertThat(String.valueOf(value)).as(other.getName()).isIn("PT7S", "70000", "7000");
                } else {
                    assertThat(value)
                            .as(other.getName())
                            .isEqualTo(other.getAccessor().invoke(Limits.DEFAULTS));
                }
            }
        }
    }

    @Test
    void readUnits() {
        var limits = LimitSettings.read("--limits", "headBytes=128KiB, connectionWindow=4MiB,idle=2h,head=1500ms");

        assertThat(limits.headBytes()).isEqualTo(128 << 10);
        assertThat(limits.connectionWindow()).isEqualTo(4 << 20);
        assertThat(limits.idle()).isEqualTo(Duration.ofHours(2));
        assertThat(limits.head()).isEqualTo(Duration.ofMillis(1_500));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "accepted=0 | accepted must be a whole number, in KiB or MiB if that is said, 1 to 1000000, was '0'",
                "accepted=-1 | was '-1'",
                "accepted=99999999999 | was '99999999999'",
                "headBytes=999999999MiB | headBytes must be",
                "idle=5 | idle must be a time in ms, s, m or h, 1000ms to 86400s, was '5'",
                "idle=999999999h | was '999999999h'",
                "idle= | was ''",
                "acepted=5 | there is no limit 'acepted'; there are accepted, requestLine,",
                "idle=5s,idle=6s | idle is given twice",
                "idle | must be name=value,name=value, was 'idle'",
                "idle=5s, | must be name=value,name=value, was 'idle=5s,'"
            })
    void sayWhatIsWrong(String text, String sentence) {
        assertThatThrownBy(() -> LimitSettings.read("--limits", text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("--limits")
                .hasMessageContaining(sentence);
    }

    @Test
    void areReadFromTheCommandLine() {
        var asked = Settings.from(List.of("--service", "pay", "--app-port", "80", "--limits", "accepted=7"), Map.of());
        assertThat(asked)
                .isInstanceOfSatisfying(
                        Settings.Asked.Run.class,
                        run -> assertThat(run.settings().limits().accepted()).isEqualTo(7));

        assertThat(Settings.from(List.of("--service", "pay", "--app-port", "80", "--limits", "x=7"), Map.of()))
                .isInstanceOfSatisfying(
                        Settings.Asked.Mistake.class,
                        mistake -> assertThat(mistake.sentence()).contains("bodyguard sidecar: --limits: there is no"));
    }
}
