package dev.bodyguard.identity.spiffe;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Who somebody is: `spiffe://<trust domain><path>`, strictly as the SPIFFE-ID specification writes it.
///
/// @param trustDomain lower-case letters, digits, `.`, `-` and `_`
/// @param path empty (the trust domain itself), or `/` before every segment and none at the end
public record SpiffeId(String trustDomain, String path) {
    private static final String SCHEME = "spiffe://";
    /// SPIFFE-ID §2.3: what every implementation must be able to hold, and nobody may exceed.
    private static final int LONGEST = 2048;

    private static final int LONGEST_TRUST_DOMAIN = 255;

    public SpiffeId {
        Objects.requireNonNull(trustDomain);
        Objects.requireNonNull(path);
        var wrong = complaint(trustDomain, path);
        if (wrong != null) {
            throw new IllegalArgumentException(wrong);
        }
    }

    /// Reads an id; an `IllegalArgumentException` says what is wrong with the text.
    public static SpiffeId parse(String text) {
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException(
                    "a SPIFFE id has at most " + LONGEST + " characters, this one has " + text.length());
        }
        if (!text.startsWith(SCHEME)) {
            throw new IllegalArgumentException("a SPIFFE id begins with spiffe://, not " + quoted(text));
        }
        var slash = text.indexOf('/', SCHEME.length());
        return slash < 0
                ? new SpiffeId(text.substring(SCHEME.length()), "")
                : new SpiffeId(text.substring(SCHEME.length(), slash), text.substring(slash));
    }

    /// The mesh's own scheme of names: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
    public static SpiffeId ofServiceAccount(String trustDomain, String namespace, String serviceAccount) {
        requireSegment("namespace", namespace);
        requireSegment("service account", serviceAccount);
        return new SpiffeId(trustDomain, "/ns/" + namespace + "/sa/" + serviceAccount);
    }

    /// The namespace in `/ns/<namespace>/sa/<service account>`; null where the path is not of that form.
    public @Nullable String namespace() {
        var parts = path.split("/", -1);
        return isServiceAccount(parts) ? parts[2] : null;
    }

    /// The service account in `/ns/<namespace>/sa/<service account>`; null where the path is not of that form.
    public @Nullable String serviceAccount() {
        var parts = path.split("/", -1);
        return isServiceAccount(parts) ? parts[4] : null;
    }

    /// The id without its scheme, as authorization rules write it: `cluster.local/ns/default/sa/checkout`.
    public String principal() {
        return trustDomain + path;
    }

    /// `spiffe://cluster.local/ns/default/sa/checkout`
    @Override
    public String toString() {
        return SCHEME + trustDomain + path;
    }

    private static boolean isServiceAccount(String[] parts) {
        return parts.length == 5 && parts[1].equals("ns") && parts[3].equals("sa");
    }

    private static void requireSegment(String what, String segment) {
        if (segment.isEmpty() || segment.indexOf('/') >= 0) {
            throw new IllegalArgumentException(what + " must be one path segment, was " + quoted(segment));
        }
    }

    private static @Nullable String complaint(String trustDomain, String path) {
        if (trustDomain.isEmpty()) {
            return "a SPIFFE id names a trust domain, this one is empty";
        }
        if (trustDomain.length() > LONGEST_TRUST_DOMAIN) {
            return "a trust domain has at most " + LONGEST_TRUST_DOMAIN + " characters, this one has "
                    + trustDomain.length();
        }
        if (SCHEME.length() + trustDomain.length() + path.length() > LONGEST) {
            return "a SPIFFE id has at most " + LONGEST + " characters";
        }
        for (int i = 0; i < trustDomain.length(); i++) {
            var c = trustDomain.charAt(i);
            if (!isLowerCase(c) && !isDigitOrMark(c)) {
                return "a trust domain has only a-z, 0-9, '.', '-' and '_', not " + quoted(trustDomain);
            }
        }
        return path.isEmpty() ? null : pathComplaint(path);
    }

    private static @Nullable String pathComplaint(String path) {
        if (path.charAt(0) != '/') {
            return "a SPIFFE id's path begins with '/', not " + quoted(path);
        }
        var start = 1;
        while (true) {
            var slash = path.indexOf('/', start);
            var end = slash < 0 ? path.length() : slash;
            var segment = path.substring(start, end);
            if (segment.isEmpty()) {
                return "a SPIFFE id's path has no empty segment and no '/' at its end: " + quoted(path);
            }
            if (segment.equals(".") || segment.equals("..")) {
                return "a SPIFFE id's path has no '.' or '..' segment: " + quoted(path);
            }
            for (int i = 0; i < segment.length(); i++) {
                var c = segment.charAt(i);
                if (!isLowerCase(c) && !isUpperCase(c) && !isDigitOrMark(c)) {
                    return "a SPIFFE id's path has only a-z, A-Z, 0-9, '.', '-' and '_' in it: " + quoted(path);
                }
            }
            if (slash < 0) {
                return null;
            }
            start = slash + 1;
        }
    }

    private static boolean isDigitOrMark(char c) {
        return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    }

    private static boolean isLowerCase(char c) {
        return c >= 'a' && c <= 'z';
    }

    private static boolean isUpperCase(char c) {
        return c >= 'A' && c <= 'Z';
    }

    /// A stranger's text for a log line: short, and printable on one line.
    static String quoted(String text) {
        var shown = new StringBuilder("'");
        text.codePoints()
                .limit(100)
                .forEach(c -> shown.append(
                        c >= ' ' && c < 0x7f ? Character.toString(c) : "\\u{" + Integer.toHexString(c) + "}"));
        return shown.append(text.length() > 100 ? "…'" : "'").toString();
    }
}
