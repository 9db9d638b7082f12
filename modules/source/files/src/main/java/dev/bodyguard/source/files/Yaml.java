package dev.bodyguard.source.files;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.DocumentEndEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.events.StreamEndEvent;
import org.snakeyaml.engine.v2.events.StreamStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/// Reads the text of a YAML or JSON file into documents that know where each of their fields stands.
///
/// Each document of a file is parsed on its own, so that a broken one does not take its neighbours with it.
/// Scalars follow the JSON schema, and `~` and `True` as Kubernetes reads them. Files come from people, but also
/// from whoever can write into the directory: nesting, size and what aliases expand to are bounded.
public final class Yaml {
    static final int LARGEST_FILE = 4 * 1024 * 1024;
    static final int DEEPEST = 100;
    static final int MOST_VALUES = 200_000;

    private static final Pattern INTEGER = Pattern.compile("-?(0|[1-9][0-9]*)");
    private static final Pattern DECIMAL = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    private static final LoadSettings SETTINGS =
            LoadSettings.builder().setCodePointLimit(LARGEST_FILE).build();

    private final String file;
    private final List<Document> documents = new ArrayList<>();
    private final List<FileProblem> problems = new ArrayList<>();

    private Yaml(String file) {
        this.file = file;
    }

    /// Reads a file's text.
    ///
    /// @param file its name as locations shall show it
    public static Parsed parse(String file, String text) {
        var yaml = new Yaml(file);
        if (text.length() > LARGEST_FILE) {
            yaml.problems.add(new FileProblem(
                    new Location(file, 1, 1),
                    "larger than " + LARGEST_FILE / 1024 / 1024 + " MiB; split it into several files"));
        } else {
            yaml.readParts(text.startsWith("\uFEFF") ? text.substring(1) : text);
        }
        return new Parsed(yaml.documents, yaml.problems);
    }

    /// A line that begins with `---` always begins a document, whatever stands before it is like.
    private void readParts(String text) {
        int partBegins = 0;
        int partLine = 0;
        int line = 0;
        for (int at = 0; at < text.length(); ) {
            if (at > partBegins && beginsDocument(text, at)) {
                read(text.substring(partBegins, at), partLine);
                partBegins = at;
                partLine = line;
            }
            int newline = text.indexOf('\n', at);
            if (newline < 0) {
                break;
            }
            at = newline + 1;
            line++;
        }
        read(text.substring(partBegins), partLine);
    }

    private static boolean beginsDocument(String text, int at) {
        return text.startsWith("---", at) && (at + 3 == text.length() || Character.isWhitespace(text.charAt(at + 3)));
    }

    private void read(String part, int firstLine) {
        try {
            for (Value root : new Reader(file, part, firstLine).roots()) {
                accept(root, null);
            }
        } catch (Unreadable e) {
            problems.add(e.problem);
        }
    }

    /// @param listedIn the kind of the list that `root` is an item of
    private void accept(Value root, @Nullable String listedIn) {
        if (root instanceof Value.Null) {
            return; // comments between two separators
        }
        Location at = place(root);
        if (!(root instanceof Value.Mapping mapping)) {
            problems.add(new FileProblem(
                    at, "an object begins with apiVersion and kind, found only a value; remove it or indent it"));
            return;
        }
        String kind = text(mapping, "kind");
        String apiVersion = text(mapping, "apiVersion");
        if (kind == null && listedIn != null && !listedIn.equals("List")) {
            kind = listedIn.substring(0, listedIn.length() - "List".length());
        }
        if (kind == null || apiVersion == null) {
            String missing = kind == null ? "kind" : "apiVersion";
            problems.add(Misspelt.key(file, missing, mapping)
                    .orElse(new FileProblem(
                            place(mapping.get(missing), at),
                            missing + ": is required and must be a non-empty string, such as "
                                    + (missing.equals("kind") ? "VirtualService" : "networking.istio.io/v1"))));
            return;
        }
        if (kind.endsWith("List") && mapping.get("items") instanceof Value.Sequence items) {
            for (Value item : items.items()) {
                accept(withApiVersion(item, mapping), kind);
            }
            return;
        }
        Value metadata = mapping.get("metadata");
        String name = metadata instanceof Value.Mapping head ? text(head, "name") : null;
        if (name == null) {
            problems.add((metadata instanceof Value.Mapping head
                            ? Misspelt.key(file, "name", head)
                            : Misspelt.key(file, "metadata", mapping))
                    .orElse(new FileProblem(
                            place(metadata, at),
                            kind + ": metadata.name: is required and must be a non-empty string; quote it if it looks"
                                    + " like a number")));
            return;
        }
        Value namespace = metadata instanceof Value.Mapping head ? head.get("namespace") : null;
        if (namespace != null && !(namespace instanceof Value.Text) && !(namespace instanceof Value.Null)) {
            problems.add(new FileProblem(
                    place(namespace), kind + " " + name + ": metadata.namespace: must be a string; quote it"));
            return;
        }
        String space = namespace instanceof Value.Text(var value, var _) && !value.isEmpty() ? value : "default";
        documents.add(new Document(apiVersion, kind, space, name, null, mapping));
    }

    /// Items of a typed list may leave out what the list already says.
    private static Value withApiVersion(Value item, Value.Mapping list) {
        Value apiVersion = list.get("apiVersion");
        if (item instanceof Value.Mapping(var entries, var at)
                && apiVersion != null
                && entries.stream().noneMatch(entry -> entry.key().equals("apiVersion"))) {
            var completed = new ArrayList<>(entries);
            completed.addFirst(new Value.Entry("apiVersion", apiVersion, at));
            return new Value.Mapping(completed, at);
        }
        return item;
    }

    private static @Nullable String text(Value.Mapping mapping, String key) {
        return mapping.get(key) instanceof Value.Text(var value, var _) && !value.isEmpty() ? value : null;
    }

    private Location place(Value value) {
        Location at = value.at();
        return at == null ? new Location(file, 1, 1) : at;
    }

    private Location place(@Nullable Value value, Location otherwise) {
        return value == null ? otherwise : place(value);
    }

    /// The parser's events of one part of a file, put together.
    private static final class Reader {
        private final String file;
        private final String part;
        private final int firstLine;
        private final Map<String, Value> anchors = new HashMap<>();
        /// How many values stand behind an anchor, itself and what its own aliases expand to included.
        private final Map<String, Integer> sizes = new HashMap<>();

        private int values;

        Reader(String file, String part, int firstLine) {
            this.file = file;
            this.part = part;
            this.firstLine = firstLine;
        }

        List<Value> roots() throws Unreadable {
            var roots = new ArrayList<Value>();
            try {
                var events = new ParserImpl(SETTINGS, new StreamReader(SETTINGS, part));
                while (events.hasNext()) {
                    switch (events.next()) {
                        case StreamStartEvent _, StreamEndEvent _, DocumentEndEvent _ -> {}
                        case DocumentStartEvent _ -> {
                            anchors.clear();
                            sizes.clear();
                            roots.add(value(events.next(), events, 0));
                        }
                        case Event other -> throw new Unreadable(place(other), "unexpected " + other);
                    }
                }
            } catch (MarkedYamlEngineException e) {
                throw new Unreadable(place(e.getProblemMark()), oneLine(e.getProblem()) + wayOut(e.getProblem()));
            } catch (ReaderException e) {
                throw new Unreadable(
                        place(e.getCodePoint()),
                        String.format("the character U+%04X may not stand in YAML; remove it", e.getCodePoint()));
            } catch (YamlEngineException e) {
                throw new Unreadable(new Location(file, firstLine + 1, 1), oneLine(String.valueOf(e.getMessage())));
            }
            return roots;
        }

        private Value value(Event event, Iterator<Event> events, int depth) throws Unreadable {
            Location at = place(event);
            if (depth > DEEPEST) {
                throw new Unreadable(at, "nested deeper than " + DEEPEST + " levels; flatten it");
            }
            count(1, at);
            int before = values;
            Value value;
            Optional<Anchor> anchor;
            switch (event) {
                case ScalarEvent scalar -> {
                    value = scalar(scalar, at);
                    anchor = scalar.getAnchor();
                }
                case SequenceStartEvent start -> {
                    refuseTag(start.getTag(), "tag:yaml.org,2002:seq", at);
                    value = sequence(events, at, depth);
                    anchor = start.getAnchor();
                }
                case MappingStartEvent start -> {
                    refuseTag(start.getTag(), "tag:yaml.org,2002:map", at);
                    value = mapping(events, at, depth);
                    anchor = start.getAnchor();
                }
                case AliasEvent alias -> {
                    String name = alias.getAlias().getValue();
                    Value target = anchors.get(name);
                    if (target == null) {
                        throw new Unreadable(
                                at, "*" + name + " has no anchor &" + name + " before it in this document");
                    }
                    count(sizes.getOrDefault(name, 1) - 1, at);
                    return target;
                }
                case Event other -> throw new Unreadable(at, "unexpected " + other);
            }
            if (anchor.isPresent()) {
                anchors.put(anchor.get().getValue(), value);
                sizes.put(anchor.get().getValue(), values - before + 1);
            }
            return value;
        }

        private void count(int more, Location at) throws Unreadable {
            values += more;
            if (values > MOST_VALUES) {
                throw new Unreadable(
                        at, "more than " + MOST_VALUES + " values in one document, aliases expanded; split it");
            }
        }

        private Value sequence(Iterator<Event> events, Location at, int depth) throws Unreadable {
            var items = new ArrayList<Value>();
            for (Event next = events.next(); !(next instanceof SequenceEndEvent); next = events.next()) {
                items.add(value(next, events, depth + 1));
            }
            return new Value.Sequence(items, at);
        }

        private Value mapping(Iterator<Event> events, Location at, int depth) throws Unreadable {
            var entries = new ArrayList<Value.Entry>();
            Map<String, Location> seen = new HashMap<>();
            for (Event next = events.next(); !(next instanceof MappingEndEvent); next = events.next()) {
                Location keyAt = place(next);
                if (!(next instanceof ScalarEvent key)) {
                    throw new Unreadable(keyAt, "a key must be a plain word, not a list, an object or an alias");
                }
                if (key.isPlain() && key.getValue().equals("<<")) {
                    throw new Unreadable(keyAt, "merge keys (<<) are not supported; write the fields out");
                }
                Location first = seen.putIfAbsent(key.getValue(), keyAt);
                if (first != null) {
                    throw new Unreadable(
                            keyAt,
                            "key " + key.getValue() + " stands here a second time, first at line " + first.line()
                                    + "; remove one of the two");
                }
                count(1, keyAt);
                Value value = value(events.next(), events, depth + 1);
                entries.add(new Value.Entry(key.getValue(), value, keyAt));
            }
            return new Value.Mapping(entries, at);
        }

        private static Value scalar(ScalarEvent event, Location at) throws Unreadable {
            String text = event.getValue();
            String tag = event.getTag().orElse(null);
            if (!event.isPlain() || "tag:yaml.org,2002:str".equals(tag) || "!".equals(tag)) {
                if (tag != null && !tag.equals("!") && !tag.equals("tag:yaml.org,2002:str")) {
                    throw unknownTag(tag, at);
                }
                return new Value.Text(text, at);
            }
            if (tag != null && !CORE_TAGS.contains(tag)) {
                throw unknownTag(tag, at);
            }
            return switch (text) {
                case "", "~", "null", "Null", "NULL" -> new Value.Null(at);
                case "true", "True", "TRUE" -> new Value.Bool(true, at);
                case "false", "False", "FALSE" -> new Value.Bool(false, at);
                default -> number(text, at);
            };
        }

        private static final Set<String> CORE_TAGS = new HashSet<>(List.of(
                "tag:yaml.org,2002:int",
                "tag:yaml.org,2002:float",
                "tag:yaml.org,2002:bool",
                "tag:yaml.org,2002:null"));

        private static Value number(String text, Location at) throws Unreadable {
            if (INTEGER.matcher(text).matches()) {
                try {
                    return new Value.Int(Long.parseLong(text), at);
                } catch (NumberFormatException e) {
                    throw new Unreadable(at, "must fit 64 bits, was " + brief(text) + "; quote it if it is a name", e);
                }
            }
            if (DECIMAL.matcher(text).matches()) {
                double number = Double.parseDouble(text);
                if (Double.isInfinite(number)) {
                    throw new Unreadable(
                            at, "is too large for a number: " + brief(text) + "; quote it if it is a name");
                }
                return new Value.Decimal(number, at);
            }
            return new Value.Text(text, at);
        }

        private static void refuseTag(Optional<String> tag, String but, Location at) throws Unreadable {
            if (tag.isPresent() && !tag.get().equals(but) && !tag.get().equals("!")) {
                throw unknownTag(tag.get(), at);
            }
        }

        private static Unreadable unknownTag(String tag, Location at) {
            return new Unreadable(at, "tag " + brief(tag) + " is not known here; remove it");
        }

        private Location place(Event event) {
            return place(event.getStartMark());
        }

        private Location place(Optional<Mark> mark) {
            return mark.map(m -> new Location(file, firstLine + m.getLine() + 1, m.getColumn() + 1))
                    .orElseGet(() -> new Location(file, firstLine + 1, 1));
        }

        /// Where a character stands first, which the parser does not say.
        private Location place(int character) {
            int line = firstLine + 1;
            int column = 1;
            for (char before :
                    part.substring(0, Math.max(0, part.indexOf(character))).toCharArray()) {
                column++;
                if (before == '\n') {
                    line++;
                    column = 1;
                }
            }
            return new Location(file, line, column);
        }

        private static String oneLine(@Nullable String message) {
            return message == null ? "not YAML" : brief(message.strip().replaceAll("\\s*\\R\\s*", " "));
        }

        /// The parser says what it met; this says what people usually meant.
        private static String wayOut(@Nullable String problem) {
            if (problem == null || problem.contains("TAB")) {
                return "; indent with spaces";
            }
            if (problem.contains("mapping values are not allowed")) {
                return "; quote the value before it, or correct the indentation";
            }
            if (problem.contains("could not find expected ':'")) {
                return "; a key needs a colon and a space after it";
            }
            if (problem.contains("expected <block end>") || problem.contains("expected '<document start>'")) {
                return "; correct the indentation of this line";
            }
            if (problem.contains("expected ',' or")) {
                return "; close the bracket or add a comma";
            }
            if (problem.contains("end of stream") || problem.contains("stream end")) {
                return "; close the quote or bracket that is open";
            }
            return "; correct the YAML here";
        }

        private static String brief(String text) {
            return text.length() <= 200 ? text : text.substring(0, 200) + "…";
        }
    }

    /// Part of a file is not a document. Caught in this class.
    private static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1;

        private final transient FileProblem problem;

        Unreadable(Location at, String message) {
            this(at, message, null);
        }

        Unreadable(Location at, String message, @Nullable Throwable cause) {
            super(message, cause);
            this.problem = new FileProblem(at, message);
        }
    }
}
