package dev.bodyguard.cli;

import java.io.PrintStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What `helm --wait --debug` waits for, for whoever watches: in place on a terminal, otherwise a line at each change.
final class Rollout {
    private static final Pattern WAITING =
            Pattern.compile("not ready: [a-z0-9.-]+/([a-z0-9.-]+)\\. ([0-9]+) out of ([0-9]+) expected pods");

    private final PrintStream err;
    private final boolean inPlace;
    private final long began = System.nanoTime();
    private String last = "";

    Rollout(PrintStream err, boolean inPlace) {
        this.err = err;
        this.inPlace = inPlace;
    }

    /// Begins a step.
    void step(String what) {
        show(what);
    }

    /// Takes a line of helm's.
    void heard(String line) {
        Matcher waiting = WAITING.matcher(line);
        if (waiting.find()) {
            show("waiting for " + waiting.group(1) + " (" + waiting.group(2) + " of " + waiting.group(3) + " ready)");
        }
    }

    /// Ends the display with a line that stays.
    void done(String what) {
        err.println((inPlace ? "\r\u001b[K" : "") + "bodyguard: " + what + " after " + seconds() + " s");
    }

    private void show(String what) {
        if (inPlace) {
            err.print("\r\u001b[Kbodyguard: " + what + ", " + seconds() + " s");
            err.flush();
        } else if (!what.equals(last)) {
            err.println("bodyguard: " + what);
        }
        last = what;
    }

    private long seconds() {
        return (System.nanoTime() - began) / 1_000_000_000;
    }
}
