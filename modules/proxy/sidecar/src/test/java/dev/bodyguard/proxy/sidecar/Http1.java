package dev.bodyguard.proxy.sidecar;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Just enough HTTP/1.1 to ask and to answer.
final class Http1 {
    private Http1() {}

    /// A message; of a body no more than its first 64 KiB is kept.
    record Message(String first, Map<String, String> headers, String body, long length) {
        int status() {
            return Integer.parseInt(first.split(" ", -1)[1]);
        }

        String method() {
            return first.substring(0, first.indexOf(' '));
        }
    }

    /// One that must come.
    static Message need(InputStream in, boolean answerToHead) throws IOException {
        var message = read(in, answerToHead);
        if (message == null) {
            throw new IOException("the connection was closed instead of an answer");
        }
        return message;
    }

    /// Null at the end of the stream.
    static @Nullable Message read(InputStream in, boolean answerToHead) throws IOException {
        String first = line(in);
        if (first == null) {
            return null;
        }
        var headers = new TreeMap<String, String>();
        for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.merge(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip(),
                    (a, b) -> a + "," + b);
        }
        var body = new ByteArrayOutputStream();
        long length = 0;
        if ("chunked".equals(headers.get("transfer-encoding"))) {
            while (true) {
                String size = line(in);
                if (size == null) {
                    throw new IOException("the body ended early");
                }
                int bytes = Integer.parseInt(size.strip(), 16);
                length += copy(in, bytes, body);
                line(in);
                if (bytes == 0) {
                    break;
                }
            }
        } else if (headers.containsKey("content-length") && !answerToHead) {
            length = copy(in, Long.parseLong(headers.get("content-length")), body);
        }
        return new Message(first, headers, body.toString(StandardCharsets.UTF_8), length);
    }

    private static long copy(InputStream in, long bytes, ByteArrayOutputStream to) throws IOException {
        var block = new byte[8_192];
        long left = bytes;
        while (left > 0) {
            int read = in.read(block, 0, (int) Math.min(left, block.length));
            if (read < 0) {
                throw new IOException("the body ended " + left + " bytes early");
            }
            if (to.size() < 65_536) {
                to.write(block, 0, read);
            }
            left -= read;
        }
        return bytes;
    }

    private static @Nullable String line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0; b = in.read()) {
            if (b == '\n') {
                return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
            }
            line.write(b);
        }
        if (line.size() > 0) {
            throw new IOException("the head ended early");
        }
        return null;
    }
}
