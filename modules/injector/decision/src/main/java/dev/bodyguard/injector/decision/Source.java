package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/// Reads YAML or JSON into nodes that know where they stand.
///
/// The text comes from a stranger: size, depth and the number of values are bounded.
final class Source {
    static final int LARGEST = 4 * 1024 * 1024;
    private static final int DEEPEST = 100;
    private static final int MOST_VALUES = 200_000;

    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    private static final LoadSettings SETTINGS = LoadSettings.builder()
            .setCodePointLimit(LARGEST)
            .setParseComments(false)
            .build();

    private final String text;
    private final int from;
    private final String part;
    private int values;
    /// The parser counts code points: where each of them begins; null where all are one character.
    private final int @Nullable [] wide;
    private @Nullable Unreadable tied;

    /// A document.
    ///
    /// @param tied what makes text elsewhere mean something else than it says there, such as an anchor: then the
    ///     document can be passed on but not edited
    record Document(Node root, @Nullable Unreadable tied) {}

    private Source(String text, int from, int until) {
        this.text = text;
        this.from = from;
        this.part = text.substring(from, until);
        this.wide = part.codePointCount(0, part.length()) == part.length() ? null : beginnings(part);
    }

    /// Where each document's text begins: a line that begins with `---` always begins one, whatever stands before it.
    static List<Integer> parts(String text) {
        var parts = new ArrayList<Integer>();
        int begins = text.startsWith("\uFEFF") ? 1 : 0;
        parts.add(begins);
        for (int at = begins; at < text.length(); ) {
            if (at > begins
                    && text.startsWith("---", at)
                    && (at + 3 == text.length() || Character.isWhitespace(text.charAt(at + 3)))) {
                parts.add(at);
            }
            int newline = text.indexOf('\n', at);
            at = newline < 0 ? text.length() : newline + 1;
        }
        return parts;
    }

    /// The documents between two offsets. Places count from the beginning of `text`.
    static List<Document> read(String text, int from, int until) throws Unreadable {
        if (until - from > LARGEST) {
            throw new Unreadable(from, "larger than " + LARGEST / 1024 / 1024 + " MiB; split it");
        }
        return new Source(text, from, until).documents();
    }

    /// One JSON value, such as a request's body.
    static Node readOne(String text) throws Unreadable {
        var documents = read(text, 0, text.length());
        if (documents.size() != 1) {
            throw new Unreadable(0, "must be one JSON value, found " + documents.size());
        }
        var only = documents.getFirst();
        if (only.tied() != null) {
            throw only.tied();
        }
        return only.root();
    }

    private void tie(int offset, String sentence) {
        if (tied == null) {
            tied = new Unreadable(offset, sentence);
        }
    }

    private List<Document> documents() throws Unreadable {
        var documents = new ArrayList<Document>();
        try {
            var events = new ParserImpl(SETTINGS, new StreamReader(SETTINGS, part));
            while (events.hasNext()) {
                if (events.next() instanceof DocumentStartEvent) {
                    tied = null;
                    var root = node(events.next(), events, 0);
                    documents.add(new Document(root, tied));
                }
            }
        } catch (MarkedYamlEngineException broken) {
            throw new Unreadable(
                    offset(broken.getProblemMark()), String.valueOf(broken.getProblem()) + wayOut(broken.getProblem()));
        } catch (YamlEngineException broken) {
            throw new Unreadable(
                    from,
                    String.valueOf(broken.getMessage()).lines().findFirst().orElse("not YAML"));
        }
        return documents;
    }

    private Node node(Event event, Iterator<Event> events, int depth) throws Unreadable {
        int start = offset(event.getStartMark());
        if (depth > DEEPEST) {
            throw new Unreadable(start, "nested deeper than " + DEEPEST + " levels; flatten it");
        }
        if (++values > MOST_VALUES) {
            throw new Unreadable(start, "more than " + MOST_VALUES + " values in one document; split it");
        }
        if (event instanceof AliasEvent alias) {
            tie(start, "*" + alias.getAlias() + ": aliases cannot be edited; write the value out");
            return new Node.Scalar(Tree.Word.NULL, start, offset(event.getEndMark()));
        }
        if (event instanceof NodeEvent named && named.getAnchor().isPresent()) {
            tie(
                    start,
                    "&" + named.getAnchor().get() + ": what an anchor names cannot be edited, since the edit would"
                            + " reach its aliases too; write the values out");
        }
        return switch (event) {
            case ScalarEvent scalar -> new Node.Scalar(value(scalar, start), start, end(scalar, start));
            case SequenceStartEvent sequence -> {
                refuseTag(sequence.getTag(), start);
                yield sequence(sequence, events, start, depth);
            }
            case MappingStartEvent mapping -> {
                refuseTag(mapping.getTag(), start);
                yield mapping(mapping, events, start, depth);
            }
            default -> throw new Unreadable(start, "unexpected " + event);
        };
    }

    private Node sequence(CollectionStartEvent begin, Iterator<Event> events, int start, int depth) throws Unreadable {
        boolean flow = begin.getFlowStyle() == FlowStyle.FLOW;
        var items = new ArrayList<Node>();
        Event next = events.next();
        for (; !(next instanceof SequenceEndEvent); next = events.next()) {
            items.add(node(next, events, depth + 1));
        }
        int end = flow || items.isEmpty()
                ? offset(next.getEndMark())
                : items.getLast().end();
        return new Node.Sequence(items, flow, start, end);
    }

    private Node mapping(CollectionStartEvent begin, Iterator<Event> events, int start, int depth) throws Unreadable {
        boolean flow = begin.getFlowStyle() == FlowStyle.FLOW;
        var entries = new ArrayList<Node.Entry>();
        var keys = new HashSet<String>();
        Event next = events.next();
        for (; !(next instanceof MappingEndEvent); next = events.next()) {
            int at = offset(next.getStartMark());
            if (!(next instanceof ScalarEvent key)) {
                throw new Unreadable(at, "a key must be a plain word, not a list, an object or an alias");
            }
            if (key.isPlain() && key.getValue().equals("<<")) {
                tie(at, "merge keys (<<) are not supported; write the fields out");
            }
            if (!keys.add(key.getValue())) {
                tie(at, "key " + key.getValue() + " stands here a second time; remove one of the two");
            }
            if (key.getAnchor().isPresent() || key.getTag().isPresent()) {
                tie(at, "a key must have neither anchor nor tag; remove it");
            }
            int colon = colon(offset(key.getEndMark()));
            entries.add(new Node.Entry(key.getValue(), at, colon, node(events.next(), events, depth + 1)));
        }
        int end = flow || entries.isEmpty()
                ? offset(next.getEndMark())
                : entries.getLast().end();
        return new Node.Mapping(entries, flow, start, end);
    }

    private int colon(int keyEnds) {
        int at = keyEnds;
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
        if (at == text.length() || text.charAt(at) != ':') {
            tie(keyEnds, "a key and its colon must stand on one line; write key: value");
            return keyEnds;
        }
        return at + 1;
    }

    /// A literal block's mark stands behind the line breaks that follow it.
    private int end(ScalarEvent scalar, int start) {
        int end = offset(scalar.getEndMark());
        while (!scalar.isPlain() && end > start && Character.isWhitespace(text.charAt(end - 1))) {
            end--;
        }
        return end;
    }

    private Tree value(ScalarEvent event, int start) {
        refuseTag(event.getTag(), start);
        String text = event.getValue();
        if (!event.isPlain()) {
            return new Tree.Text(text);
        }
        return switch (text) {
            case "", "~", "null", "Null", "NULL" -> Tree.Word.NULL;
            case "true", "True", "TRUE" -> new Tree.Word("true");
            case "false", "False", "FALSE" -> new Tree.Word("false");
            default -> NUMBER.matcher(text).matches() ? new Tree.Word(text) : new Tree.Text(text);
        };
    }

    private void refuseTag(Optional<String> tag, int start) {
        if (tag.isPresent()) {
            tie(start, "tag " + tag.get() + " is not supported; remove it, or quote the value");
        }
    }

    private static String wayOut(@Nullable String problem) {
        return problem != null && problem.contains("'\\t'") ? "; indent with blanks, not tabs" : "";
    }

    private int offset(Optional<Mark> mark) {
        int codePoints = mark.map(Mark::getIndex).orElse(0);
        return from + (wide == null ? codePoints : wide[codePoints]);
    }

    private static int[] beginnings(String part) {
        var beginnings = new int[part.codePointCount(0, part.length()) + 1];
        for (int i = 0, at = 0; i < beginnings.length - 1; i++) {
            beginnings[i] = at;
            at += Character.charCount(part.codePointAt(at));
        }
        beginnings[beginnings.length - 1] = part.length();
        return beginnings;
    }
}
