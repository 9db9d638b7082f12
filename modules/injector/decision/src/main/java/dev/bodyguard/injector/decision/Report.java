package dev.bodyguard.injector.decision;

import java.util.List;
import java.util.stream.Stream;

/// What was done with one object of a text.
///
/// @param what such as `deployment "web"`, or a file and line where there is no object to be read
/// @param warnings what its author should know, one sentence each
public record Report(String what, Outcome outcome, List<String> warnings) {
    public Report {
        warnings = List.copyOf(warnings);
    }

    /// What became of it.
    public sealed interface Outcome {
        /// Its text was changed.
        record Changed(String how) implements Outcome {}

        /// Its text stays as it is, as it should.
        record Left(String why) implements Outcome {}

        /// Its text stays as it is, and should not.
        record Refused(String why) implements Outcome {}
    }

    /// One line, and one more for each warning.
    public List<String> lines() {
        var first = switch (outcome) {
            case Outcome.Changed(var how) -> what + " " + how;
            case Outcome.Left(var why) -> what + " " + why;
            case Outcome.Refused(var why) -> what + " refused: " + why;
        };
        return Stream.concat(Stream.of(first), warnings.stream().map(warning -> what + ": warning: " + warning))
                .toList();
    }

    static Report changed(Workload of, String how, List<String> warnings) {
        return new Report(of.shown(), new Outcome.Changed(how), warnings);
    }

    static Report left(Workload of, String why) {
        return left(of, why, List.of());
    }

    static Report left(Workload of, String why, List<String> warnings) {
        return new Report(of.shown(), new Outcome.Left(why), warnings);
    }

    static Report refused(String what, String why) {
        return new Report(what, new Outcome.Refused(why), List.of());
    }
}
