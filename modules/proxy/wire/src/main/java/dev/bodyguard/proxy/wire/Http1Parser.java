package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// HTTP/1 messages out of bytes, strictly as RFC 9112 writes them: what two parsers could understand differently is
/// refused, not guessed at (bare line feeds, folded lines, space before a colon, length given twice or in two ways, odd
/// chunks).
///
/// Pulled, so that a paused connection simply stops asking. A head is copied once; its fields are views of that copy.
final class Http1Parser {
    /// What was found; see the fields of the same name.
    enum Found {
        MORE,
        HEAD,
        CHUNK,
        TRAILERS
    }

    private enum At {
        HEAD,
        LENGTH,
        CHUNK_SIZE,
        CHUNK_DATA,
        CHUNK_END,
        TRAILERS,
        UNTIL_CLOSE
    }

    private static final AsciiString CONTENT_LENGTH = AsciiString.cached("content-length");
    private static final AsciiString TRANSFER_ENCODING = AsciiString.cached("transfer-encoding");
    private static final AsciiString CONNECTION = AsciiString.cached("connection");
    private static final AsciiString CLOSE = AsciiString.cached("close");
    private static final AsciiString KEEP_ALIVE = AsciiString.cached("keep-alive");
    private static final AsciiString PROXY_CONNECTION = AsciiString.cached("proxy-connection");
    private static final AsciiString UPGRADE = AsciiString.cached("upgrade");
    private static final AsciiString TE = AsciiString.cached("te");
    private static final AsciiString HOST = AsciiString.cached("host");
    private static final AsciiString TRAILERS_VALUE = AsciiString.cached("trailers");
    private static final int LONGEST_CHUNK_LINE = 256;
    private static final byte[] VERSION = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);
    /// How much of that is the protocol's name.
    private static final int NAME = 5;

    private final boolean server;
    private final Limits limits;
    private At at = At.HEAD;
    private int scanned;
    private int lines;
    private int lineStart;
    private long left;

    /// For a parser of answers: what the request was that is being answered, which decides whether a body may follow.
    private boolean answersHead;

    private String method = "";
    private String target = "";
    private @Nullable AsciiString host;
    private @Nullable AsciiString upgrade;
    private int status;
    private boolean http11;
    /// The first line was read as far as its version.
    private boolean versioned;
    private boolean keepAlive;
    private boolean last;
    private Fields fields = new Fields();
    /// What the message's `connection` fields name, in lowercase.
    private final Set<AsciiString> named = new HashSet<>(0);

    private @Nullable ByteBuf chunk;
    /// While a head is read: its bytes as they came, from the first name that has capitals on.
    private byte @Nullable [] written;

    private Http1Parser(boolean server, Limits limits) {
        this.server = server;
        this.limits = limits;
    }

    static Http1Parser ofRequests(Limits limits) {
        return new Http1Parser(true, limits);
    }

    static Http1Parser ofResponses(Limits limits) {
        return new Http1Parser(false, limits);
    }

    /// Reads on in `in`, which holds everything that was not consumed before.
    Found next(ByteBuf in) {
        while (true) {
            switch (at) {
                case HEAD -> {
                    return head(in);
                }
                case LENGTH -> {
                    if (!in.isReadable()) {
                        return Found.MORE;
                    }
                    int n = (int) Math.min(left, in.readableBytes());
                    chunk = in.readRetainedSlice(n);
                    left -= n;
                    last = left == 0;
                    if (last) {
                        at = At.HEAD;
                    }
                    return Found.CHUNK;
                }
                case UNTIL_CLOSE -> {
                    if (!in.isReadable()) {
                        return Found.MORE;
                    }
                    chunk = in.readRetainedSlice(in.readableBytes());
                    last = false;
                    return Found.CHUNK;
                }
                case CHUNK_SIZE -> {
                    if (!chunkSize(in)) {
                        return Found.MORE;
                    }
                }
                case CHUNK_DATA -> {
                    if (!in.isReadable()) {
                        return Found.MORE;
                    }
                    int n = (int) Math.min(left, in.readableBytes());
                    chunk = in.readRetainedSlice(n);
                    left -= n;
                    last = false;
                    if (left == 0) {
                        at = At.CHUNK_END;
                    }
                    return Found.CHUNK;
                }
                case CHUNK_END -> {
                    if (in.readableBytes() < 2) {
                        return Found.MORE;
                    }
                    if (in.readByte() != '\r' || in.readByte() != '\n') {
                        throw new Malformed(400, "a chunk is longer than it says");
                    }
                    at = At.CHUNK_SIZE;
                }
                case TRAILERS -> {
                    int end = blockEnd(in);
                    if (end < 0) {
                        return Found.MORE;
                    }
                    var bytes = take(in, end);
                    fields = new Fields(new AsciiString[8], 0);
                    fields(bytes, 0);
                    // RFC 9110 §6.5.1: framing and routing never come after the fact.
                    fields.remove("content-length")
                            .remove("transfer-encoding")
                            .remove("host")
                            .remove("connection");
                    removeNamed();
                    at = At.HEAD;
                    return Found.TRAILERS;
                }
            }
        }
    }

    /// The connection ended: true where that is the end of the message being read, or there is none.
    boolean endsHere() {
        return at == At.UNTIL_CLOSE;
    }

    boolean betweenMessages() {
        return at == At.HEAD && scanned == 0;
    }

    void answersHead(boolean value) {
        answersHead = value;
    }

    String method() {
        return method;
    }

    String target() {
        return target;
    }

    /// The one `host` field, taken out of the fields.
    @Nullable
    AsciiString host() {
        return host;
    }

    /// The `upgrade` field, where `connection` names it too and the message has no body.
    @Nullable
    AsciiString upgrade() {
        return upgrade;
    }

    int status() {
        return status;
    }

    Version version() {
        return http11 ? Version.HTTP_1_1 : Version.HTTP_1_0;
    }

    /// Null where the head broke off before it.
    @Nullable
    Version versionRead() {
        return versioned ? version() : null;
    }

    boolean keepAlive() {
        return keepAlive;
    }

    /// Of the head or chunk just found.
    boolean last() {
        return last;
    }

    Fields fields() {
        return fields;
    }

    /// Lets go of the head or trailers just found, so that a connection that stands idle keeps nothing of them.
    void forget() {
        method = "";
        target = "";
        versioned = false;
        host = null;
        upgrade = null;
        fields = new Fields();
    }

    /// The chunk just found; the caller owns it.
    ByteBuf takeChunk() {
        var taken = chunk;
        if (taken == null) {
            throw new IllegalStateException("no chunk was found");
        }
        chunk = null;
        return taken;
    }

    private Found head(ByteBuf in) {
        // RFC 9112 §2.2: an empty line before a request is ignored.
        while (server && scanned == 0 && in.readableBytes() >= 2 && in.getShort(in.readerIndex()) == 0x0d0a) {
            in.skipBytes(2);
        }
        if (server && in.readableBytes() == 1 && in.getByte(in.readerIndex()) == '\r') {
            return Found.MORE;
        }
        int end = blockEnd(in);
        if (end < 0) {
            return Found.MORE;
        }
        var bytes = take(in, end);
        fields = new Fields(new AsciiString[32], 0);
        host = null;
        int from = server ? requestLine(bytes) : statusLine(bytes);
        fields(bytes, from);
        framing();
        return Found.HEAD;
    }

    /// Index after the empty line that ends a block of lines, relative to the reader index; -1 where it is not there
    /// yet.
    private int blockEnd(ByteBuf in) {
        int start = in.readerIndex();
        while (true) {
            int lf = in.indexOf(start + scanned, in.writerIndex(), (byte) '\n');
            if (lf < 0) {
                scanned = in.readableBytes();
                tooLong(scanned);
                return -1;
            }
            int line = lf - start - lineStart;
            if (line == 0 || in.getByte(lf - 1) != '\r') {
                throw new Malformed(400, "a line ends in LF instead of CR LF");
            }
            scanned = lf - start + 1;
            tooLong(scanned);
            lineStart = scanned;
            lines++;
            if (line == 1) {
                return scanned;
            }
            if (lines > limits.fieldCount() + 1) {
                throw new Malformed(431, "more than " + limits.fieldCount() + " fields");
            }
        }
    }

    private void tooLong(int bytes) {
        if (lines == 0 && at == At.HEAD && bytes > limits.requestLine()) {
            throw new Malformed(414, "the first line has more than " + limits.requestLine() + " bytes");
        }
        if (bytes > limits.headBytes()) {
            throw new Malformed(431, "the fields have more than " + limits.headBytes() + " bytes");
        }
    }

    private byte[] take(ByteBuf in, int length) {
        var bytes = new byte[length];
        in.readBytes(bytes);
        scanned = 0;
        lines = 0;
        lineStart = 0;
        return bytes;
    }

    private int requestLine(byte[] bytes) {
        int space = 0;
        while (isToken(bytes[space])) {
            space++;
        }
        if (space == 0 || bytes[space] != ' ') {
            throw new Malformed(400, "the first line does not begin with a method and a space");
        }
        int from = space + 1;
        int to = from;
        while ((bytes[to] & 0xff) > ' ' && bytes[to] != 0x7f) {
            to++;
        }
        if (to == from || bytes[to] != ' ') {
            throw new Malformed(400, "the first line holds no request target");
        }
        method = methodName(bytes, space);
        target = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
        int after = version(bytes, to + 1);
        if (bytes[after] != '\r' || bytes[after + 1] != '\n') {
            throw new Malformed(400, "the first line goes on after its version");
        }
        return after + 2;
    }

    private static String methodName(byte[] bytes, int length) {
        if (length == 3 && bytes[0] == 'G' && bytes[1] == 'E' && bytes[2] == 'T') {
            return "GET";
        }
        return new String(bytes, 0, length, StandardCharsets.US_ASCII);
    }

    private int statusLine(byte[] bytes) {
        int at = version(bytes, 0);
        if (bytes.length < at + 6 || bytes[at] != ' ') {
            throw new Malformed(502, "the first line holds no status");
        }
        status = 0;
        for (int i = 1; i <= 3; i++) {
            int digit = bytes[at + i] - '0';
            if (digit < 0 || digit > 9) {
                throw new Malformed(502, "the status is no number");
            }
            status = 10 * status + digit;
        }
        if (status < 100 || (bytes[at + 4] != ' ' && bytes[at + 4] != '\r')) {
            throw new Malformed(502, "the status has not three digits");
        }
        int i = at + 4;
        while (bytes[i] != '\r') {
            i++;
        }
        return i + 2;
    }

    private int version(byte[] bytes, int from) {
        if (bytes.length < from + 10) {
            throw new Malformed(400, "the first line holds no version");
        }
        for (int i = 0; i < VERSION.length; i++) {
            if (bytes[from + i] != VERSION[i]) {
                // SIP and RTSP have such lines too: who speaks another protocol would not understand an answer.
                throw i < NAME
                        ? new Malformed(0, "the first line ends in no version of HTTP")
                        : new Malformed(505, "the version is not HTTP/1.0 or HTTP/1.1");
            }
        }
        byte minor = bytes[from + VERSION.length];
        if (minor != '0' && minor != '1') {
            throw new Malformed(505, "the version is not HTTP/1.0 or HTTP/1.1");
        }
        http11 = minor == '1';
        versioned = true;
        return from + VERSION.length + 1;
    }

    private void fields(byte[] bytes, int from) {
        written = null;
        while (bytes[from] != '\r') {
            from = field(bytes, from);
        }
        if (written != null) {
            fields.spelt(new Capitals.InHead(bytes, written));
            written = null;
        }
    }

    /// Reads one field line; returns where the next one begins.
    private int field(byte[] bytes, int from) {
        int colon = from;
        while (isToken(bytes[colon])) {
            if (bytes[colon] >= 'A' && bytes[colon] <= 'Z') {
                if (written == null) {
                    written = bytes.clone();
                }
                bytes[colon] |= 0x20;
            }
            colon++;
        }
        if (colon == from || bytes[colon] != ':') {
            throw new Malformed(400, "a field line is folded or does not begin with a name and a colon");
        }
        int start = colon + 1;
        while (bytes[start] == ' ' || bytes[start] == '\t') {
            start++;
        }
        int end = start;
        while (bytes[end] != '\r') {
            int c = bytes[end] & 0xff;
            if ((c < ' ' && c != '\t') || c == 0x7f) {
                throw new Malformed(400, "a field value holds a control character");
            }
            end++;
        }
        if (bytes[end + 1] != '\n') {
            throw new Malformed(400, "a field value holds a bare CR");
        }
        int next = end + 2;
        while (end > start && (bytes[end - 1] == ' ' || bytes[end - 1] == '\t')) {
            end--;
        }
        fields.add(
                new AsciiString(bytes, from, colon - from, false), new AsciiString(bytes, start, end - start, false));
        return next;
    }

    /// RFC 9110 §5.6.2.
    static boolean isToken(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || (c > ' ' && c < 0x7f && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0);
    }

    /// Decides how the body is framed and takes off what belongs to this connection only.
    private void framing() {
        long length = -1;
        boolean chunked = false;
        boolean close = false;
        boolean keep = false;
        AsciiString offered = null;
        named.clear();
        for (int i = 0; i < fields.count(); ) {
            var name = fields.rawName(i);
            boolean drop = true;
            if (name.equals(CONTENT_LENGTH)) {
                if (length >= 0) {
                    throw new Malformed(400, "content-length is given twice");
                }
                length = length(fields.rawValue(i));
                drop = false;
            } else if (name.equals(TRANSFER_ENCODING)) {
                if (chunked || !fields.rawValue(i).contentEqualsIgnoreCase("chunked")) {
                    throw new Malformed(501, "a transfer-encoding other than chunked");
                }
                chunked = true;
            } else if (name.equals(HOST)) {
                if (host != null) {
                    throw new Malformed(400, "host is given twice");
                }
                host = fields.rawValue(i);
            } else if (name.equals(CONNECTION)) {
                for (var option : fields.rawValue(i).split(',')) {
                    var trimmed = option.trim().toLowerCase();
                    if (trimmed.equals(CLOSE)) {
                        close = true;
                    } else if (trimmed.equals(KEEP_ALIVE)) {
                        keep = true;
                    } else if (!trimmed.isEmpty()) {
                        named.add(trimmed);
                    }
                }
            } else if (name.equals(TE)) {
                drop = !fields.rawValue(i).contentEqualsIgnoreCase(TRAILERS_VALUE);
            } else if (name.equals(UPGRADE)) {
                offered = fields.rawValue(i);
            } else {
                drop = name.equals(KEEP_ALIVE) || name.equals(PROXY_CONNECTION);
            }
            if (drop) {
                fields.removeAt(i);
            } else {
                i++;
            }
        }
        // RFC 9112 §9.3: close wins over keep-alive, which only HTTP/1.0 needs.
        keepAlive = !close && (http11 || keep);
        // Both stay however they are named: the body is read by its length, so the next reader must see the same one,
        // and
        // what is left of `te` is `trailers`, which the next hop is told as well. Anything else goes, whatever it says.
        named.remove(CONTENT_LENGTH);
        named.remove(TE);
        boolean wanted = named.remove(UPGRADE);
        removeNamed();
        if (chunked && length >= 0) {
            throw new Malformed(400, "both content-length and transfer-encoding");
        }
        if (chunked && !http11) {
            throw new Malformed(400, "transfer-encoding in HTTP/1.0");
        }
        last = false;
        left = 0;
        if (!server && (answersHead || status < 200 || status == 204 || status == 304)) {
            last = true;
        } else if (chunked) {
            at = At.CHUNK_SIZE;
        } else if (length > 0) {
            left = length;
            at = At.LENGTH;
        } else if (length == 0 || server) {
            last = true;
        } else {
            keepAlive = false;
            at = At.UNTIL_CLOSE;
        }
        upgrade = wanted && last && http11 ? offered : null;
    }

    /// RFC 9110 §7.6.1: what `connection` names is for this connection only, among headers and trailers alike.
    private void removeNamed() {
        for (var name : named) {
            fields.remove(name.toString());
        }
    }

    private static long length(AsciiString value) {
        if (value.isEmpty() || value.length() > 18) {
            throw new Malformed(400, "content-length is no number");
        }
        long length = 0;
        for (int i = 0; i < value.length(); i++) {
            int digit = value.byteAt(i) - '0';
            if (digit < 0 || digit > 9) {
                throw new Malformed(400, "content-length is no number");
            }
            length = 10 * length + digit;
        }
        return length;
    }

    /// Reads a chunk's first line; false where it is not there yet.
    private boolean chunkSize(ByteBuf in) {
        int start = in.readerIndex();
        int lf = in.indexOf(start, Math.min(in.writerIndex(), start + LONGEST_CHUNK_LINE), (byte) '\n');
        if (lf < 0) {
            if (in.readableBytes() >= LONGEST_CHUNK_LINE) {
                throw new Malformed(400, "a chunk's first line has more than " + LONGEST_CHUNK_LINE + " bytes");
            }
            return false;
        }
        long size = 0;
        int i = start;
        for (; i < lf; i++) {
            int digit = Character.digit(in.getByte(i), 16);
            if (digit < 0) {
                break;
            }
            if (i - start == 15) {
                throw new Malformed(400, "a chunk's size is too large");
            }
            size = 16 * size + digit;
        }
        byte after = in.getByte(i);
        if (i == start || in.getByte(lf - 1) != '\r' || (after != ';' && i != lf - 1)) {
            throw new Malformed(400, "a chunk's size is no hexadecimal number");
        }
        for (int j = i; j < lf - 1; j++) {
            if (in.getByte(j) == '\r') {
                throw new Malformed(400, "a chunk's first line holds a bare CR");
            }
        }
        in.readerIndex(lf + 1);
        left = size;
        at = size == 0 ? At.TRAILERS : At.CHUNK_DATA;
        return true;
    }
}
