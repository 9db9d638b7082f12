package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// What the downward API writes about a pod: lines of `name="value"`, values quoted as Go quotes them.
final class PodInfo {
    /// A pod's annotations have 256 KiB at most, its labels less.
    private static final int LONGEST = 512 << 10;

    private PodInfo() {}

    static Map<String, String> read(Path file) throws IOException {
        return parse(BoundedFile.text(file, LONGEST));
    }

    /// A line that is none is passed over: it cannot be one of ours.
    static Map<String, String> parse(String text) {
        var pairs = new LinkedHashMap<String, String>();
        for (var line : text.split("\n", -1)) {
            int equals = line.indexOf('=');
            int last = line.length() - 1;
            if (equals > 0 && last > equals + 1 && line.charAt(equals + 1) == '"' && line.charAt(last) == '"') {
                pairs.put(line.substring(0, equals), unquoted(line.substring(equals + 2, last)));
            }
        }
        return pairs;
    }

    private static String unquoted(String quoted) {
        if (quoted.indexOf('\\') < 0) {
            return quoted;
        }
        var plain = new StringBuilder();
        for (int i = 0; i < quoted.length(); i++) {
            char c = quoted.charAt(i);
            if (c != '\\' || i + 1 == quoted.length()) {
                plain.append(c);
                continue;
            }
            c = quoted.charAt(++i);
            plain.append(
                    switch (c) {
                        case 'n' -> '\n';
                        case 't' -> '\t';
                        case 'r' -> '\r';
                        default -> c;
                    });
        }
        return plain.toString();
    }
}
