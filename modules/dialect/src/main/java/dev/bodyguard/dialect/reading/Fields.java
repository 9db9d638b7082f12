package dev.bodyguard.dialect.reading;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.StringMatch;
import dev.bodyguard.model.Value;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The fields of a mapping, read one by one, each by the type that it must have. What is wrong becomes a problem at the
/// field's place, and [#done] reports whatever nobody asked for: so no field can be ignored without a word. One mistake
/// is one problem: a field is not called missing as well where what is there is wrong, or where one stands that is
/// nearly called so.
public final class Fields {
    private static final java.util.regex.Pattern DURATION =
            java.util.regex.Pattern.compile("([0-9]*\\.?[0-9]+)(h|ms|m|s|us|µs|ns)");

    private static final java.util.regex.Pattern QUANTITY =
            java.util.regex.Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,6})?)([mkM]?)");

    private static final java.util.regex.Pattern NUMBER = java.util.regex.Pattern.compile("-?[0-9]+(?:\\.[0-9]+)?");

    private static final String TRUTH = "true or false";

    private final Document document;
    private final String path;
    private final Value.Mapping mapping;
    private final List<Problem> problems;
    /// Where in the problems those of this mapping begin.
    private final int begun;

    private final Set<String> known = new TreeSet<>();
    /// Fields that the document is refused for.
    private final Set<String> refused = new HashSet<>();
    /// What was said of fields that are not there, by each that could stand there.
    private final Map<String, Problem> missed = new HashMap<>();

    private Fields(Document document, String path, Value.Mapping mapping, List<Problem> problems) {
        this.document = document;
        this.path = path;
        this.mapping = mapping;
        this.problems = problems;
        this.begun = problems.size();
    }

    /// The whole document.
    ///
    /// @param problems where to put what is wrong
    public static Fields of(Document document, List<Problem> problems) {
        return new Fields(document, "", document.root(), problems);
    }

    /// What this mapping is due to.
    public Origin origin() {
        return document.origin(path, mapping.at());
    }

    /// What a field is due to.
    public Origin origin(String field) {
        var value = mapping.get(field);
        return document.origin(at(field), value == null ? mapping.at() : value.at());
    }

    private String at(String field) {
        return path.isEmpty() ? field : path + "." + field;
    }

    /// Whether the author wrote the field.
    public boolean has(String field) {
        return find(field) != null;
    }

    /// Every field that the author wrote.
    public List<String> written() {
        return mapping.entries().stream().map(Value.Entry::key).toList();
    }

    /// Whether the author wrote a list there.
    public boolean isList(String field) {
        return find(field) instanceof Value.Sequence;
    }

    /// Whether the author wrote a text there.
    public boolean isText(String field) {
        return find(field) instanceof Value.Text;
    }

    /// Whether the author wrote a list without items there.
    public boolean isEmptyList(String field) {
        return find(field) instanceof Value.Sequence(var items, var _) && items.isEmpty();
    }

    /// Whether the author wrote nothing in this mapping.
    public boolean isEmpty() {
        return mapping.entries().isEmpty();
    }

    private @Nullable Value find(String field) {
        known.add(field);
        var value = mapping.get(field);
        return value instanceof Value.Null ? null : value;
    }

    /// Refuses the document because of a field.
    public void error(String field, String message) {
        refused.add(field);
        problem(Problem.Severity.ERROR, at(field), place(field), message);
    }

    /// Refuses the document because nothing of use stands in a field.
    ///
    /// @param instead fields that could stand in its place
    public void missing(String field, String message, String... instead) {
        if (refused.contains(field) || Stream.of(instead).anyMatch(refused::contains)) {
            return;
        }
        error(field, message);
        missed(field, instead);
    }

    /// Says that a field does not do what its author may think.
    public void warning(String field, String message) {
        problem(Problem.Severity.WARNING, at(field), place(field), message);
        missed(field);
    }

    private void missed(String field, String... instead) {
        var said = problems.getLast();
        if (mapping.get(field) == null) {
            missed.put(field, said);
        }
        Stream.of(instead).filter(other -> mapping.get(other) == null).forEach(other -> missed.put(other, said));
    }

    private @Nullable Location place(String field) {
        var value = mapping.get(field);
        return value == null ? mapping.at() : value.at();
    }

    private void problem(Problem.Severity severity, String field, @Nullable Location at, String message) {
        problems.add(new Problem(severity, document.origin(field, at), message));
    }

    private void wrong(String field, Value value, String must) {
        wrong(field, at(field), value, must);
    }

    /// @param path of the value, in or below the field
    private void wrong(String field, String path, Value value, String must) {
        refused.add(field);
        boolean quoted = value instanceof Value.Text(var text, var _)
                && ((must.contains("number") && NUMBER.matcher(text).matches())
                        || (must.equals(TRUTH) && (text.equals("true") || text.equals("false"))));
        problem(
                Problem.Severity.ERROR,
                path,
                value.at(),
                "must be " + must + ", was " + shown(value) + (quoted ? " in quotes; leave them out" : ""));
    }

    /// A value as a message shows it.
    static String shown(Value value) {
        return switch (value) {
            case Value.Null _ -> "null";
            case Value.Bool(var bool, var _) -> String.valueOf(bool);
            case Value.Int(var number, var _) -> String.valueOf(number);
            case Value.Decimal(var number, var _) -> String.valueOf(number);
            case Value.Text(var text, var _) ->
                text.isEmpty() ? "empty" : text.length() > 60 ? text.substring(0, 60) + "…" : text;
            case Value.Sequence _ -> "a list";
            case Value.Mapping _ -> "a mapping";
        };
    }

    /// A text, empty where there is none.
    public String text(String field) {
        var value = find(field);
        if (value == null) {
            return "";
        }
        if (value instanceof Value.Text(var text, var _)) {
            return text;
        }
        wrong(field, value, "a text (put quotes around it)");
        return "";
    }

    /// A text, null where there is none.
    public @Nullable String textOrNull(String field) {
        return has(field) ? text(field) : null;
    }

    /// A text that must be there.
    public String required(String field) {
        var text = text(field);
        if (!has(field) || (text.isEmpty() && mapping.get(field) instanceof Value.Text)) {
            missing(field, "is required; add it");
        }
        return text;
    }

    /// `true` or `false`.
    public boolean bool(String field, boolean otherwise) {
        var value = find(field);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof Value.Bool(var bool, var _)) {
            return bool;
        }
        wrong(field, value, TRUTH);
        return otherwise;
    }

    /// A whole number within bounds, null where there is none.
    public @Nullable Long number(String field, long least, long most) {
        var value = find(field);
        if (value == null) {
            return null;
        }
        if (value instanceof Value.Int(var number, var _) && number >= least && number <= most) {
            return number;
        }
        wrong(
                field,
                value,
                most >= Integer.MAX_VALUE
                        ? "a whole number of " + least + " or more"
                        : "a whole number from " + least + " to " + most);
        return null;
    }

    /// A whole number within bounds.
    public int number(String field, int least, int most, int otherwise) {
        var number = number(field, (long) least, (long) most);
        return number == null ? otherwise : number.intValue();
    }

    /// A number from 0 to 100.
    public double percent(String field, double otherwise) {
        return fraction(field, 100, otherwise);
    }

    /// A number from 0, perhaps with a fraction.
    public double fraction(String field, int most, double otherwise) {
        var value = find(field);
        var number = switch (value) {
            case null -> otherwise;
            case Value.Int(var whole, var _) -> (double) whole;
            case Value.Decimal(var fraction, var _) -> fraction;
            case Value.Null _, Value.Bool _, Value.Text _, Value.Sequence _, Value.Mapping _ -> Double.NaN;
        };
        if (value != null && !(number >= 0 && number <= most)) {
            wrong(field, value, "a number from 0 to " + most);
            return otherwise;
        }
        return number;
    }

    /// A quantity as Kubernetes writes it, such as `2`, `"500m"` or `1k`, in thousandths; null where there is none.
    public @Nullable Long thousandths(String field) {
        var value = find(field);
        var quantity = switch (value) {
            case null -> null;
            case Value.Int(var number, var _) -> BigDecimal.valueOf(number);
            case Value.Decimal(var number, var _) -> BigDecimal.valueOf(number);
            case Value.Text(var text, var _) -> quantity(text);
            case Value.Null _, Value.Bool _, Value.Sequence _, Value.Mapping _ -> null;
        };
        if (quantity != null
                && quantity.signum() >= 0
                && quantity.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) <= 0) {
            return quantity.movePointRight(3).setScale(0, RoundingMode.UP).longValue();
        }
        if (value != null) {
            wrong(field, value, "a quantity of 0 or more such as 1, 500m or 1k");
        }
        return null;
    }

    private static @Nullable BigDecimal quantity(String text) {
        var matcher = QUANTITY.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        var number = new BigDecimal(matcher.group(1));
        return switch (matcher.group(2)) {
            case "m" -> number.movePointLeft(3);
            case "k" -> number.movePointRight(3);
            case "M" -> number.movePointRight(6);
            default -> number;
        };
    }

    /// A duration as Go writes it, null where there is none.
    public @Nullable Duration duration(String field, Duration least) {
        var value = find(field);
        if (value == null) {
            return null;
        }
        var duration = value instanceof Value.Text(var text, var _) ? parse(text) : null;
        if (duration == null) {
            wrong(field, value, "a duration such as 2s or 500ms");
        } else if (duration.compareTo(least) < 0) {
            wrong(field, value, "a duration of " + least.toMillis() + "ms or more");
            return null;
        }
        return duration;
    }

    private static @Nullable Duration parse(String text) {
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        if (text.length() > 40) {
            return null;
        }
        var matcher = DURATION.matcher(text);
        var nanos = BigDecimal.ZERO;
        int end = 0;
        while (end < text.length()) {
            if (!matcher.find(end) || matcher.start() != end) {
                return null;
            }
            var unit = switch (matcher.group(2)) {
                case "h" -> 3_600_000_000_000L;
                case "m" -> 60_000_000_000L;
                case "s" -> 1_000_000_000L;
                case "ms" -> 1_000_000L;
                case "ns" -> 1L;
                default -> 1_000L;
            };
            nanos = nanos.add(new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit)));
            end = matcher.end();
        }
        // Longer than Go's longest is a slip of the finger.
        return end == 0 || nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0
                ? null
                : Duration.ofNanos(nanos.longValue());
    }

    /// One of some words, null where there is none.
    public @Nullable String word(String field, String... words) {
        var value = find(field);
        if (value == null) {
            return null;
        }
        if (value instanceof Value.Text(var text, var _) && Arrays.asList(words).contains(text)) {
            return text;
        }
        wrong(field, value, "one of " + String.join(", ", words));
        return null;
    }

    /// Texts, empty where there are none.
    public List<String> texts(String field) {
        var texts = new ArrayList<String>();
        each(field, (value, at) -> {
            if (value instanceof Value.Text(var text, var _)) {
                texts.add(text);
            } else {
                wrong(field, at, value, "a text (put quotes around it)");
            }
        });
        return texts;
    }

    /// What each item of a list is due to.
    public List<Origin> origins(String field) {
        var origins = new ArrayList<Origin>();
        if (find(field) instanceof Value.Sequence(var items, var _)) {
            for (int i = 0; i < items.size(); i++) {
                origins.add(
                        document.origin(at(field) + "[" + i + "]", items.get(i).at()));
            }
        }
        return origins;
    }

    /// Whole numbers within bounds, empty where there are none.
    public List<Integer> wholeNumbers(String field, int least, int most) {
        var numbers = new ArrayList<Integer>();
        each(field, (value, at) -> {
            if (value instanceof Value.Int(var number, var _) && number >= least && number <= most) {
                numbers.add((int) number);
            } else {
                wrong(field, at, value, "a whole number from " + least + " to " + most);
            }
        });
        return numbers;
    }

    private interface Item {
        void read(Value value, String path);
    }

    private void each(String field, Item item) {
        var value = find(field);
        if (value instanceof Value.Sequence(var items, var _)) {
            for (int i = 0; i < items.size(); i++) {
                item.read(items.get(i), at(field) + "[" + i + "]");
            }
        } else if (value != null) {
            wrong(field, value, "a list");
        }
    }

    /// The mappings of a list. Each is [#done] when the function returns.
    public <T> List<T> list(String field, Function<Fields, @Nullable T> read) {
        var all = new ArrayList<T>();
        each(field, (value, at) -> {
            if (value instanceof Value.Mapping inner) {
                var one = inside(field, at, inner, read);
                if (one != null) {
                    all.add(one);
                }
            } else {
                wrong(field, at, value, "a mapping");
            }
        });
        return all;
    }

    /// The mapping in a field, null where there is none. It is [#done] when the function returns.
    public <T> @Nullable T object(String field, Function<Fields, @Nullable T> read) {
        var value = find(field);
        if (value == null) {
            return null;
        }
        if (!(value instanceof Value.Mapping inner)) {
            wrong(field, value, "a mapping");
            return null;
        }
        return inside(field, at(field), inner, read);
    }

    /// @param path of the mapping, in or below the field
    private <T> @Nullable T inside(String field, String path, Value.Mapping inner, Function<Fields, @Nullable T> read) {
        var fields = new Fields(document, path, inner, problems);
        var one = read.apply(fields);
        fields.done();
        if (problems.subList(fields.begun, problems.size()).stream()
                .anyMatch(problem -> problem.severity() == Problem.Severity.ERROR)) {
            refused.add(field);
        }
        return one;
    }

    /// Names to texts, in the author's order.
    public Map<String, String> map(String field) {
        var map = new LinkedHashMap<String, String>();
        entries(field, (inner, key) -> map.put(key, inner.text(key)));
        return map;
    }

    /// Names to whole numbers.
    public Map<String, Integer> numbers(String field, int least, int most) {
        var map = new LinkedHashMap<String, Integer>();
        entries(field, (inner, key) -> map.put(key, inner.number(key, least, most, least)));
        return map;
    }

    /// Names to conditions; a condition of nothing means that the name must be there.
    public Map<String, StringMatch> matches(String field) {
        var map = new LinkedHashMap<String, StringMatch>();
        entries(field, (inner, key) -> {
            var match = inner.match(key);
            map.put(key, match == null ? new StringMatch.Present() : match);
        });
        return map;
    }

    private interface Entry {
        void read(Fields mapping, String key);
    }

    private void entries(String field, Entry entry) {
        this.<Boolean>object(field, inner -> {
            inner.mapping.entries().forEach(one -> entry.read(inner, one.key()));
            return true;
        });
    }

    /// A condition on a string, null where there is none.
    public @Nullable StringMatch match(String field) {
        return object(field, inner -> {
            var found = new ArrayList<StringMatch>();
            if (inner.has("exact")) {
                found.add(new StringMatch.Exact(inner.text("exact")));
            }
            if (inner.has("prefix")) {
                found.add(new StringMatch.Prefix(inner.text("prefix")));
            }
            if (inner.has("regex")) {
                found.add(new StringMatch.Regex(inner.regex("regex")));
            }
            if (found.size() > 1) {
                error(field, "must have one of exact, prefix and regex, had " + found.size());
            }
            return found.isEmpty() ? null : found.getFirst();
        });
    }

    /// An RE2 expression, empty where there is none.
    public String regex(String field) {
        var text = text(field);
        try {
            var _ = Pattern.compile(text);
        } catch (PatternSyntaxException wrong) {
            error(field, "must be an RE2 expression, was " + text + ": " + wrong.getMessage());
        }
        return text;
    }

    /// Fields that exist but have no effect yet: each that the author wrote becomes a warning.
    public void unsupported(String... fields) {
        for (var field : fields) {
            if (find(field) != null) {
                warning(field, "is not supported yet and has no effect; leave it out to silence this");
            }
        }
    }

    /// Fields that are somebody else's business.
    public void elsewhere(String... fields) {
        known.addAll(Arrays.asList(fields));
    }

    /// Nothing more will be asked for: what the author wrote beyond it is a mistake.
    public void done() {
        for (var entry : mapping.entries()) {
            if (!known.contains(entry.key())) {
                var near = Nearest.of(entry.key(), known);
                var said = near == null ? null : missed.get(near);
                if (said != null) {
                    problems.subList(begun, problems.size()).remove(said);
                    missed.values().removeIf(said::equals);
                }
                problem(
                        Problem.Severity.ERROR,
                        at(entry.key()),
                        entry.keyAt(),
                        "there is no such field" + Nearest.to(entry.key(), known));
            }
        }
    }
}
