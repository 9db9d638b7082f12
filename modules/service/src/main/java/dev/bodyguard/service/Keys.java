package dev.bodyguard.service;

import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Environment variables as values. An `IllegalArgumentException` names the key, what it was, and what it must be.
public final class Keys {
    private final Map<String, String> environment;
    private final Set<String> asked = new TreeSet<>();

    public Keys(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    /// The keys that were asked for, whether set or not: a process documents each of them.
    public Set<String> asked() {
        return Set.copyOf(asked);
    }

    public String text(String key, String usual) {
        var text = value(key);
        return text == null ? usual : text;
    }

    /// A file or folder that must be named.
    ///
    /// @param what for the sentence that says it is not
    public Path path(String key, String what) {
        var text = value(key);
        if (text == null) {
            throw new IllegalArgumentException(key + " is not set: name " + what);
        }
        return Path.of(text);
    }

    public int port(String key, int usual) {
        return number(key, usual, 0, 65_535, "a port, 0 to 65535");
    }

    /// A number of things, 1 or more.
    public int count(String key, int usual) {
        return number(key, usual, 1, Integer.MAX_VALUE, "a number, 1 or more");
    }

    /// ISO-8601, such as `PT10S`.
    public Duration duration(String key, Duration usual) {
        var text = value(key);
        if (text == null) {
            return usual;
        }
        try {
            return Duration.parse(text);
        } catch (DateTimeParseException notADuration) {
            throw new IllegalArgumentException(
                    key + " must be a duration such as PT24H, was '" + text + "'", notADuration);
        }
    }

    /// One of an enum's names, in either case.
    public <E extends Enum<E>> E choice(String key, E usual) {
        var text = value(key);
        return text == null ? usual : choice(key, text, usual.getDeclaringClass());
    }

    /// Reads a choice that came otherwise, such as by a flag.
    public static <E extends Enum<E>> E choice(String key, String text, Class<E> of) {
        return Arrays.stream(of.getEnumConstants())
                .filter(one -> one.name().equals(text.toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(key + " must be "
                        + Arrays.stream(of.getEnumConstants()).map(Enum::name).collect(Collectors.joining(" or "))
                        + ", was " + text));
    }

    private int number(String key, int usual, int least, int most, String what) {
        var text = value(key);
        if (text == null) {
            return usual;
        }
        if (text.matches("[0-9]{1,10}")) {
            long number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return (int) number;
            }
        }
        throw new IllegalArgumentException(key + " must be " + what + ", was '" + text + "'");
    }

    private @Nullable String value(String key) {
        asked.add(key);
        var text = environment.get(key);
        return text == null || text.isBlank() ? null : text;
    }
}
