package dev.bodyguard.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class ProcessStateTest {
    @Test
    void tellsAStoppedProcessFromOneThatRunsAndOneThatIsGone() throws IOException, InterruptedException {
        var sleeper = new ProcessBuilder("sleep", "60").start();
        try {
            assertThat(ProcessState.of(sleeper.pid())).isInstanceOf(ProcessState.Live.class);

            signal("STOP", sleeper);
            await(sleeper, ProcessState.Halted.class::isInstance);
            assertThat(ProcessState.of(sleeper.pid()))
                    .isEqualTo(ProcessState.of(sleeper.pid()))
                    .isInstanceOfSatisfying(
                            ProcessState.Halted.class,
                            halted -> assertThat(halted.by()).isEqualTo(ProcessState.By.SIGNAL));

            signal("CONT", sleeper);
            await(sleeper, ProcessState.Live.class::isInstance);
        } finally {
            sleeper.destroyForcibly().waitFor();
        }
        assertThat(ProcessState.of(sleeper.pid())).isInstanceOf(ProcessState.Gone.class);
    }

    private static void signal(String name, Process to) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(to.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    private static void await(Process process, Predicate<ProcessState> wanted) throws InterruptedException {
        long until = System.nanoTime() + 5_000_000_000L;
        while (!wanted.test(ProcessState.of(process.pid()))) {
            assertThat(System.nanoTime())
                    .as("the process is as it was told to be")
                    .isLessThan(until);
            Thread.sleep(5);
        }
    }
}
