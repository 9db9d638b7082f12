package dev.bodyguard.cli;

import java.io.PrintStream;
import java.util.Locale;

/// The live table: redrawn in place on a terminal, otherwise a line a second under one head.
final class Table {
    private static final String HEAD = " requests  success  retries       v1       v2      p50      p99     mTLS";

    private final PrintStream out;
    private final boolean inPlace;
    private boolean headed;

    Table(PrintStream out, boolean inPlace) {
        this.out = out;
        this.inPlace = inPlace;
    }

    void show(Progress progress) {
        if (!headed) {
            out.println(HEAD);
            headed = true;
        }
        if (inPlace) {
            out.print("\r" + row(progress) + "\u001b[K");
        } else {
            out.println(row(progress));
        }
        out.flush();
    }

    /// Leaves the last row standing.
    void close() {
        if (headed && inPlace) {
            out.println();
        }
    }

    static String row(Progress now) {
        return String.format(
                Locale.ROOT,
                "%9d %7.2f%% %8d %7.1f%% %7.1f%% %6.1fms %6.1fms %7.1f%%",
                now.requests(),
                // 99.999 % is not 100 %.
                Math.floor(now.successShare() * 10_000) / 100,
                now.retries(),
                now.shareOf("v1") * 100,
                now.shareOf("v2") * 100,
                now.p50Millis(),
                now.p99Millis(),
                now.mutualTlsShare() * 100);
    }
}
