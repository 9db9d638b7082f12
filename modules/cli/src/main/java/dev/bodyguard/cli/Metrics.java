package dev.bodyguard.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// One reading of a Prometheus text page.
record Metrics(List<Sample> samples) {
    /// One series and its value.
    record Sample(String name, Map<String, String> labels, double value) {}

    Metrics {
        samples = List.copyOf(samples);
    }

    static Metrics parse(String page) {
        var samples = new ArrayList<Sample>();
        page.lines().filter(line -> !line.isBlank() && line.charAt(0) != '#').forEach(line -> {
            try {
                samples.add(sample(line));
            } catch (IllegalArgumentException | IndexOutOfBoundsException _) {
                // A line of some other form says nothing about the series we look for.
            }
        });
        return new Metrics(samples);
    }

    double sum(String name, Predicate<Map<String, String>> matching) {
        return samples.stream()
                .filter(sample -> sample.name.equals(name) && matching.test(sample.labels))
                .mapToDouble(Sample::value)
                .sum();
    }

    private static Sample sample(String line) {
        int brace = line.indexOf('{');
        int space = line.indexOf(' ');
        if (brace < 0 || (space >= 0 && space < brace)) {
            return new Sample(line.substring(0, space), Map.of(), value(line.substring(space)));
        }
        var labels = new LinkedHashMap<String, String>();
        int at = brace + 1;
        while (line.charAt(at) != '}') {
            int equals = line.indexOf('=', at);
            var label = line.substring(at, equals).strip();
            var content = new StringBuilder();
            for (at = equals + 2; line.charAt(at) != '"'; at++) {
                if (line.charAt(at) == '\\') {
                    at++;
                    content.append(line.charAt(at) == 'n' ? '\n' : line.charAt(at));
                } else {
                    content.append(line.charAt(at));
                }
            }
            labels.put(label, content.toString());
            at++;
            if (line.charAt(at) == ',') {
                at++;
            }
        }
        return new Sample(line.substring(0, brace), labels, value(line.substring(at + 1)));
    }

    /// The value; a time stamp may follow it.
    private static double value(String text) {
        return Double.parseDouble(text.strip().split(" ", 2)[0]);
    }
}
