package dev.bodyguard.cli;

import dev.bodyguard.injector.decision.Manifests;
import dev.bodyguard.injector.decision.Report;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/// Manifests named on a command line, rewritten one after the other: files, folders, `-` for standard input.
final class ManifestFiles {
    private static final int LARGEST = 64 * 1024 * 1024;

    private ManifestFiles() {}

    /// Rewrites all of them, or none: where one object is refused nothing is written, so that `kubectl apply` behind a
    /// pipe cannot start it as it was.
    ///
    /// @return the command's status
    static int rewrite(
            List<String> names,
            InputStream in,
            PrintStream out,
            PrintStream err,
            BiFunction<String, String, Manifests.Result> work) {
        var texts = new ArrayList<String>();
        boolean refused = false;
        for (var text : texts(names, in)) {
            var result = work.apply(text.name, text.content);
            result.reports().stream().map(Report::lines).forEach(lines -> lines.forEach(err::println));
            refused |= result.refused();
            texts.add(result.text());
        }
        if (refused) {
            err.println("bodyguard: nothing was written, since some were refused");
            return 1;
        }
        out.writeBytes(joined(texts).getBytes(StandardCharsets.UTF_8));
        out.flush();
        return 0;
    }

    private record Text(String name, String content) {}

    /// One text stays as it is; between two stands what separates documents.
    private static String joined(List<String> texts) {
        var joined = new StringBuilder();
        for (String text : texts) {
            if (!joined.isEmpty()) {
                if (joined.charAt(joined.length() - 1) != '\n') {
                    joined.append('\n');
                }
                if (!text.startsWith("---")) {
                    joined.append("---\n");
                }
            }
            joined.append(text);
        }
        return joined.toString();
    }

    private static List<Text> texts(List<String> names, InputStream in) {
        var texts = new ArrayList<Text>();
        for (String name : names) {
            try {
                if (name.equals("-")) {
                    texts.add(new Text("standard input", text("standard input", in.readNBytes(LARGEST + 1))));
                    continue;
                }
                for (Path file : files(Path.of(name))) {
                    try (var opened = Files.newInputStream(file)) {
                        texts.add(new Text(file.toString(), text(file.toString(), opened.readNBytes(LARGEST + 1))));
                    }
                }
            } catch (IOException unreadable) {
                throw new Failure(name + ": cannot be read: " + unreadable);
            }
        }
        return texts;
    }

    /// The manifests in a folder and below, by name; a file is itself.
    private static List<Path> files(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (var below = Files.walk(path)) {
            var files = below.filter(Files::isRegularFile)
                    .filter(file -> file.toString().matches("(?i).*\\.(yaml|yml|json)"))
                    .sorted()
                    .toList();
            if (files.isEmpty()) {
                throw new Failure(path + ": no file in it ends with .yaml, .yml or .json");
            }
            return files;
        }
    }

    private static String text(String name, byte[] bytes) {
        if (bytes.length > LARGEST) {
            throw new Failure(name + ": larger than " + LARGEST / 1024 / 1024 + " MiB; split it");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException other) {
            throw new Failure(name + ": is not UTF-8; convert it first, such as with iconv");
        }
    }
}
