package dev.bodyguard.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the kernel does with a process at this moment, as far as Linux lets us look.
public sealed interface ProcessState {
    /// There is none of that number, or it is not ours to look at.
    record Gone() implements ProcessState {}

    /// It runs, or waits for something of its own.
    record Live() implements ProcessState {}

    /// It does nothing until somebody lets it go on; clients can still connect to its sockets.
    ///
    /// @param turns how often it has given up a processor until now: the same as before where it has not run since
    record Halted(By by, long turns) implements ProcessState {}

    /// Who stopped it.
    enum By {
        /// SIGSTOP, or what a terminal's Ctrl-Z sends.
        SIGNAL,
        /// A tracer: a debugger for long, others for a moment at each system call.
        TRACER
    }

    static ProcessState of(long pid) {
        char state = ' ';
        long turns = 0;
        try {
            for (var line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
                if (line.startsWith("State:")) {
                    state = value(line).charAt(0);
                } else if (line.startsWith("voluntary_ctxt_switches:")
                        || line.startsWith("nonvoluntary_ctxt_switches:")) {
                    turns += Long.parseLong(value(line));
                }
            }
        } catch (IOException _) {
            return new Gone();
        }
        return switch (state) {
            case 'T' -> new Halted(By.SIGNAL, turns);
            case 't' -> new Halted(By.TRACER, turns);
            // A zombie keeps its number, and nothing else.
            case 'Z', 'X' -> new Gone();
            default -> new Live();
        };
    }

    private static String value(String line) {
        return line.substring(line.indexOf(':') + 1).strip();
    }
}
