package dev.bodyguard.dialect.reading;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;

/// Paths of policies, brought into the form in which proxies ask about a request's: what a path may hold as it is
/// (RFC 3986 §3.3) is unescaped, everything else is an escape in upper case, slashes in a row are one, and dot segments
/// are resolved. A star stays escaped where it was, since policies mean something else by a bare one.
///
/// Empty is what no request's path can ever be or contain: a query, a fragment, an escape that is none, NUL.
public final class NormalPath {
    private static final String LITERAL =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,;=:@";
    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private NormalPath() {}

    /// A whole path, which begins with a slash.
    public static Optional<String> whole(String path) {
        return spelled(path).map(NormalPath::withoutDots);
    }

    /// What paths begin with, from the slash on. Its last segment goes on, so dots there are none yet.
    public static Optional<String> beginning(String path) {
        return spelled(path).map(text -> {
            int last = text.lastIndexOf('/') + 1;
            return withoutDots(text.substring(0, last)) + text.substring(last);
        });
    }

    /// A part of a path that may be anywhere; dot segments cannot be resolved there, and are in no path.
    public static Optional<String> part(String path) {
        return spelled(path).filter(text -> !text.matches(".*/\\.{1,2}(/.*)?"));
    }

    private static Optional<String> spelled(String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        var text = new StringBuilder(bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            int c = bytes[i] & 0xff;
            if (c == '?' || c == '#') {
                return Optional.empty();
            }
            if (c == '%') {
                if (i + 2 >= bytes.length
                        || !HexFormat.isHexDigit(bytes[i + 1])
                        || !HexFormat.isHexDigit(bytes[i + 2])) {
                    return Optional.empty();
                }
                c = HexFormat.fromHexDigit(bytes[i + 1]) * 16 + HexFormat.fromHexDigit(bytes[i + 2]);
                i += 2;
                if (c == 0) {
                    return Optional.empty();
                }
            }
            if (c == '/' || c == '\\') {
                if (text.isEmpty() || text.charAt(text.length() - 1) != '/') {
                    text.append('/');
                }
            } else if (LITERAL.indexOf(c) >= 0) {
                text.append((char) c);
            } else {
                text.append('%').append(HEX.toHexDigits((byte) c));
            }
        }
        return Optional.of(text.toString());
    }

    /// RFC 3986 §5.2.4, of a path without slashes in a row.
    private static String withoutDots(String path) {
        var text = new StringBuilder();
        int from = 1;
        while (from <= path.length()) {
            int slash = path.indexOf('/', from);
            int end = slash < 0 ? path.length() : slash;
            var segment = path.substring(from, end);
            if (segment.equals("..")) {
                text.setLength(Math.max(0, text.lastIndexOf("/")));
            }
            if (!segment.equals("..") && !segment.equals(".")) {
                text.append('/').append(segment);
            } else if (slash < 0) {
                text.append('/');
            }
            from = end + 1;
        }
        return text.isEmpty() ? "/" : text.toString();
    }
}
