package dev.bodyguard.source.files;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What a directory's files say together: the last good form of each document, and who wins where two files
/// hold the same object: the one that is in force already, so that a copy displaces nothing; at first the one that
/// comes first by name. No I/O.
final class Contents {
    private static final String STAYS = "; what was last read from here stays in force";

    /// By name, so that "the first" means the same on every machine.
    private final TreeMap<String, File> files = new TreeMap<>();

    /// Files that were never right.
    private Set<String> neverRight = Set.of();
    /// Files that are gone, each by the one that may be it under its new name.
    private final Map<String, String> renamed = new TreeMap<>();

    private Map<String, Document> told = Map.of();
    /// The file that holds what was told, by the document's key.
    private final Map<String, String> holders = new HashMap<>();

    private List<FileProblem> duplicates = List.of();

    /// A file.
    ///
    /// @param bytes what it says
    /// @param good what it said when it was last read without a problem; null where it never was
    private record File(
            ByteBuffer bytes, @Nullable ByteBuffer good, List<Document> inForce, List<FileProblem> problems) {}

    record Difference(List<Document> put, Set<String> removed) {
        boolean isEmpty() {
            return put.isEmpty() && removed.isEmpty();
        }
    }

    /// Whether a file of which documents are in force would say nothing, or nothing but comments.
    boolean empties(String name, byte[] bytes) {
        File file = files.get(name);
        if (file == null || file.inForce().isEmpty() || file.bytes().equals(ByteBuffer.wrap(bytes))) {
            return false;
        }
        Parsed parsed = parse(name, bytes);
        return parsed.documents().isEmpty() && parsed.problems().isEmpty();
    }

    void read(String name, byte[] bytes) {
        File before = files.get(name);
        if (before != null && before.bytes().equals(ByteBuffer.wrap(bytes))) {
            return;
        }
        Parsed parsed = whole(parse(name, bytes), before, name, bytes);
        var now = ByteBuffer.wrap(bytes);
        var good = parsed.problems().isEmpty() ? now : good(before);
        files.put(name, new File(now, good, withLastGood(parsed, before), stays(parsed.problems(), before)));
    }

    /// What files said when they were last read without a problem.
    Map<String, byte[]> goodTexts() {
        var texts = new TreeMap<String, byte[]>();
        files.forEach((name, file) -> {
            if (file.good() != null) {
                texts.put(name, file.good().array());
            }
        });
        return texts;
    }

    private static @Nullable ByteBuffer good(@Nullable File before) {
        return before == null ? null : before.good();
    }

    void unreadable(String name, String why) {
        File before = files.get(name);
        List<FileProblem> problems = stays(List.of(new FileProblem(new Location(name, 1, 1), why)), before);
        files.put(
                name,
                new File(
                        ByteBuffer.allocate(0), good(before), before == null ? List.of() : before.inForce(), problems));
    }

    /// Whether there was ever a file of this name that could be read.
    boolean knows(String name) {
        File file = files.get(name);
        return file != null && file.good() != null;
    }

    /// Takes the files for gone that are not among these. Where a new one came with that which was never right, it may
    /// be one of them under its new name: what they said stays in force until it is right, or gone.
    void keepOnly(Set<String> names) {
        var broken = new TreeSet<>(names);
        broken.removeIf(name -> !files.containsKey(name) || knows(name));
        renamed.values().retainAll(broken);
        renamed.keySet().removeAll(names);
        var fresh = new TreeSet<>(broken);
        fresh.removeAll(neverRight);
        neverRight = broken;
        if (!fresh.isEmpty()) {
            files.keySet().stream()
                    .filter(name -> !names.contains(name) && knows(name))
                    .forEach(name -> renamed.putIfAbsent(name, fresh.first()));
        }
        files.keySet().removeIf(name -> !names.contains(name) && !renamed.containsKey(name));
    }

    List<FileProblem> problems() {
        var all = new ArrayList<FileProblem>();
        files.forEach((name, file) -> {
            var before = renamed.entrySet().stream()
                    .filter(one -> one.getValue().equals(name))
                    .map(Map.Entry::getKey)
                    .collect(Collectors.joining(", "));
            file.problems()
                    .forEach(problem -> all.add(
                            before.isEmpty()
                                    ? problem
                                    : new FileProblem(
                                            problem.at(),
                                            problem.message() + "; what was last read from " + before
                                                    + ", now gone, stays in force")));
        });
        all.addAll(duplicates);
        return all;
    }

    /// What changed since this was last asked.
    Difference difference() {
        var now = new LinkedHashMap<String, Document>();
        // First what is in force and still stands where it stood, then what is new, by the files' names.
        files.forEach((name, file) -> file.inForce().stream()
                .filter(document -> name.equals(holders.get(document.key())))
                .forEach(document -> now.putIfAbsent(document.key(), document)));
        files.forEach((name, file) -> file.inForce().forEach(document -> {
            if (now.putIfAbsent(document.key(), document) == null) {
                holders.put(document.key(), name);
            }
        }));
        holders.keySet().retainAll(now.keySet());
        duplicates = duplicates(now);
        var put = now.values().stream()
                .filter(document -> !document.equals(told.get(document.key())))
                .toList();
        var removed = new HashSet<>(told.keySet());
        removed.removeAll(now.keySet());
        told = now;
        return new Difference(put, removed);
    }

    private List<FileProblem> duplicates(Map<String, Document> now) {
        var twice = new ArrayList<FileProblem>();
        for (File file : files.values()) {
            for (Document document : file.inForce()) {
                Document other = now.get(document.key());
                Location at = document.root().at();
                Location inForce = other == null ? null : other.root().at();
                if (at != null && inForce != null && !at.equals(inForce)) {
                    twice.add(new FileProblem(
                            at,
                            document.kind() + " " + document.namespace() + "/" + document.name()
                                    + " stands a second time here and is left out, the one at " + inForce
                                    + " is in force; remove or rename one of the two"));
                }
            }
        }
        return List.copyOf(twice);
    }

    private static Parsed parse(String name, byte[] bytes) {
        if (bytes.length > Yaml.LARGEST_FILE) {
            return new Parsed(
                    List.of(),
                    List.of(new FileProblem(
                            new Location(name, 1, 1), "larger than 4 MiB; split it into several files")));
        }
        var decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        var in = ByteBuffer.wrap(bytes);
        try {
            return Yaml.parse(name, decoder.decode(in).toString());
        } catch (CharacterCodingException e) {
            int line = 1;
            int column = 1;
            for (int i = 0; i < in.position(); i++) {
                column++;
                if (bytes[i] == '\n') {
                    line++;
                    column = 1;
                }
            }
            return new Parsed(
                    List.of(),
                    List.of(new FileProblem(new Location(name, line, column), "not UTF-8; save it as UTF-8")));
        }
    }

    /// What a file says. One that ends as if its rest were missing, as it did not before, and from which documents or
    /// lines are gone, says nothing yet: what was cut through may read as another document, a policy without its
    /// rules. That it is empty is a wish.
    private static Parsed whole(Parsed parsed, @Nullable File before, String name, byte[] bytes) {
        if (before == null
                || before.good() == null
                || parsed.documents().isEmpty()
                || !parsed.problems().isEmpty()) {
            return parsed;
        }
        var now = text(bytes);
        var good = text(before.good().array());
        var end = End.of(name, now);
        if (end.how() == End.How.WHOLE || end.how() == End.of(name, good).how()) {
            return parsed;
        }
        var left = parsed.documents().stream().map(Document::key).collect(Collectors.toSet());
        var gone = before.inForce().stream()
                .filter(document -> !left.contains(document.key()))
                .map(document -> document.kind() + " " + document.namespace() + "/" + document.name())
                .toList();
        boolean shorter = end.how() == End.How.WITHIN_A_LINE
                && now.stripTrailing().lines().count()
                        < good.stripTrailing().lines().count();
        if (gone.isEmpty() && !shorter) {
            return parsed;
        }
        var missing = gone.isEmpty() ? "lines are" : String.join(", ", gone) + (gone.size() == 1 ? " is" : " are");
        return new Parsed(
                List.of(),
                List.of(new FileProblem(
                        end.at(),
                        end.how().sentence() + ", and " + missing + " gone from it, as if it were cut off; "
                                + end.how().wayOut() + " if that is meant")));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /// A document that cannot be read may be any of those that are missing, so none of them counts as removed.
    private static List<Document> withLastGood(Parsed parsed, @Nullable File before) {
        if (parsed.problems().isEmpty() || before == null) {
            return parsed.documents();
        }
        var all = new ArrayList<>(parsed.documents());
        var keys = new HashSet<String>();
        parsed.documents().forEach(document -> keys.add(document.key()));
        before.inForce().stream().filter(document -> keys.add(document.key())).forEach(all::add);
        return all;
    }

    private static List<FileProblem> stays(List<FileProblem> problems, @Nullable File before) {
        if (before == null || before.inForce().isEmpty()) {
            return problems;
        }
        return problems.stream()
                .map(problem -> new FileProblem(problem.at(), problem.message() + STAYS))
                .toList();
    }
}
