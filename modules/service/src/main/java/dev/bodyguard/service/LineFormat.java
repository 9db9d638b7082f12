package dev.bodyguard.service;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/// One line per event: `23:59:59.999 INFO config: generation 3: …`. A defect also shows its stack trace.
final class LineFormat extends Formatter {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());
    private static final String OURS = "dev.bodyguard.";

    /// Kept, since the JDK holds loggers weakly and would forget their levels.
    private static Logger quieted = Logger.getLogger("io.helidon");

    private LineFormat() {}

    /// Sends everything to stderr in this format.
    static void install() {
        LogManager.getLogManager().reset();
        var handler = new ConsoleHandler();
        handler.setFormatter(new LineFormat());
        var root = Logger.getLogger("");
        root.addHandler(handler);
        root.setLevel(Level.INFO);
        quieted.setLevel(Level.WARNING);
    }

    @Override
    public String format(LogRecord event) {
        String name = event.getLoggerName() == null ? "" : event.getLoggerName();
        var line = new StringBuilder()
                .append(TIME.format(Instant.ofEpochMilli(event.getMillis())))
                .append(' ')
                .append(level(event.getLevel()))
                .append(' ')
                .append(name.startsWith(OURS) ? name.substring(OURS.length()) : name)
                .append(": ")
                .append(oneLine(formatMessage(event)))
                .append('\n');
        if (event.getThrown() != null) {
            var trace = new StringWriter();
            event.getThrown().printStackTrace(new PrintWriter(trace));
            line.append(trace);
        }
        return line.toString();
    }

    /// What others wrote must not look like a line of ours.
    private static String oneLine(String message) {
        return message.replaceAll("\\s*\\R\\s*", " ").replaceAll("\\p{Cntrl}", "?");
    }

    private static String level(Level level) {
        if (level.intValue() >= Level.SEVERE.intValue()) {
            return "ERROR";
        }
        return level.intValue() >= Level.WARNING.intValue()
                ? "WARN"
                : level.intValue() >= Level.INFO.intValue() ? "INFO" : "DEBUG";
    }
}
