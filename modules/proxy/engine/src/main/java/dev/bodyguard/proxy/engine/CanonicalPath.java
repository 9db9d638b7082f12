package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// Normalises paths before anybody decides by them, as an `HttpConnectionManager` is told to: escapes of unreserved
/// characters are resolved (RFC 3986 §6.2.2.2), dot segments too (§5.2.4), and backslashes are slashes; if so told,
/// escaped slashes are slashes as well and several in a row are one. The application gets the outcome; what it may hold
/// in two spellings is one to a rule by its [Spelling].
///
/// A dot segment with parameters (`/..;x/`) has no outcome: some servers take the parameters off and go up.
///
/// @param active whether anything is done at all
/// @param mergeSlashes whether `//` is `/`
/// @param escapedSlashes what becomes of `%2F` and `%5C`
record CanonicalPath(boolean active, boolean mergeSlashes, Slashes escapedSlashes) {
    static final CanonicalPath AS_IT_CAME = new CanonicalPath(false, false, Slashes.KEPT);

    /// What becomes of escaped slashes.
    enum Slashes {
        KEPT,
        REFUSED,
        UNESCAPED
    }

    /// The path with its query; null where it cannot be normalised.
    @Nullable
    String of(String path) {
        if (!active || path.equals("*")) {
            return path;
        }
        if (!path.startsWith("/") || path.indexOf('#') >= 0) {
            return null;
        }
        int query = path.indexOf('?');
        int end = query < 0 ? path.length() : query;
        if (isCanonical(path, end)) {
            return path;
        }
        var unescaped = unescaped(path, end);
        if (unescaped == null || hasDotsWithParameters(unescaped)) {
            return null;
        }
        var canonical = withoutDots(unescaped);
        return query < 0 ? canonical : canonical + path.substring(query);
    }

    private static boolean isCanonical(String path, int end) {
        for (int i = 0; i < end; i++) {
            char c = path.charAt(i);
            if (c == '%' || c == '\\') {
                return false;
            }
            if (c == '/' && i + 1 < end && (path.charAt(i + 1) == '/' || path.charAt(i + 1) == '.')) {
                return false;
            }
        }
        return true;
    }

    private @Nullable String unescaped(String path, int end) {
        var text = new StringBuilder(end);
        for (int i = 0; i < end; i++) {
            char c = path.charAt(i);
            if (c == '\\') {
                text.append('/');
            } else if (c != '%') {
                text.append(c);
            } else {
                int escaped = Spelling.escaped(path, i, end);
                if (escaped <= 0) {
                    return null;
                }
                if (isUnreserved(escaped)) {
                    text.append((char) escaped);
                } else if (escaped == '/' || escaped == '\\') {
                    switch (escapedSlashes) {
                        case KEPT -> text.append(path, i, i + 3);
                        case REFUSED -> {
                            return null;
                        }
                        case UNESCAPED -> text.append('/');
                    }
                } else {
                    text.append(path, i, i + 3);
                }
                i += 2;
            }
        }
        return text.toString();
    }

    private static boolean hasDotsWithParameters(String path) {
        for (int slash = path.indexOf("/."); slash >= 0; slash = path.indexOf("/.", slash + 1)) {
            int after = path.startsWith("/..", slash) ? slash + 3 : slash + 2;
            if (path.startsWith(";", after) || path.regionMatches(true, after, "%3b", 0, 3)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isUnreserved(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '.'
                || c == '_'
                || c == '~';
    }

    private String withoutDots(String path) {
        var text = new StringBuilder(path.length());
        int from = 1;
        while (from <= path.length()) {
            int slash = path.indexOf('/', from);
            boolean last = slash < 0;
            var segment = path.substring(from, last ? path.length() : slash);
            boolean nothing = segment.equals(".") || (segment.isEmpty() && mergeSlashes);
            if (segment.equals("..")) {
                text.setLength(Math.max(0, text.lastIndexOf("/")));
                nothing = true;
            }
            if (!nothing) {
                text.append('/').append(segment);
            } else if (last) {
                text.append('/');
            }
            from = last ? path.length() + 1 : slash + 1;
        }
        return text.isEmpty() ? "/" : text.toString();
    }
}
