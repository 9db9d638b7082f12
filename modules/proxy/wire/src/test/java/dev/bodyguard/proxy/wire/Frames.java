package dev.bodyguard.proxy.wire;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// HTTP/2 byte by byte on a plain socket: a peer that may do what no library would.
final class Frames implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RESET = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 1;
    static final int ACK = 1;
    static final int END_HEADERS = 4;

    /// `:status: 200`, from HPACK's static table.
    static final byte[] OK = {(byte) 0x88};

    static final int ENHANCE_YOUR_CALM = 11;
    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    /// One frame.
    static final class Frame {
        private final int type;
        private final int flags;
        private final int stream;
        private final byte[] payload;

        Frame(int type, int flags, int stream, byte[] payload) {
            this.type = type;
            this.flags = flags;
            this.stream = stream;
            this.payload = payload;
        }

        int type() {
            return type;
        }

        int stream() {
            return stream;
        }

        byte[] payload() {
            return payload.clone();
        }

        boolean has(int flag) {
            return (flags & flag) != 0;
        }

        /// The big-endian number at `offset` of the payload.
        int number(int offset) {
            int n = 0;
            for (int i = 0; i < 4; i++) {
                n = n << 8 | (payload[offset + i] & 0xff);
            }
            return n;
        }
    }

    private final Socket socket;
    private final DataInputStream in;

    private Frames(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(socket.getInputStream());
    }

    /// Says what a client says first; settings as given, id and value by turns.
    static Frames client(Socket socket, int... settings) throws IOException {
        var frames = new Frames(socket);
        socket.getOutputStream().write(PREFACE.getBytes(StandardCharsets.US_ASCII));
        frames.settings(settings);
        return frames;
    }

    /// Hears what a client says first, and says nothing yet.
    static Frames server(Socket socket) throws IOException {
        socket.setSoTimeout(30_000);
        var frames = new Frames(socket);
        frames.in.readFully(new byte[PREFACE.length()]);
        return frames;
    }

    void settings(int... settings) throws IOException {
        var payload = new byte[3 * settings.length];
        for (int i = 0; i < settings.length; i += 2) {
            payload[3 * i + 1] = (byte) settings[i];
            for (int j = 0; j < 4; j++) {
                payload[3 * i + 2 + j] = (byte) (settings[i + 1] >>> (24 - 8 * j));
            }
        }
        write(SETTINGS, 0, 0, payload);
    }

    void write(int type, int flags, int stream, byte... payload) throws IOException {
        socket.getOutputStream().write(frame(type, flags, stream, payload));
    }

    void write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    static byte[] frame(int type, int flags, int stream, byte... payload) {
        var frame = new byte[9 + payload.length];
        frame[0] = (byte) (payload.length >>> 16);
        frame[1] = (byte) (payload.length >>> 8);
        frame[2] = (byte) payload.length;
        frame[3] = (byte) type;
        frame[4] = (byte) flags;
        for (int j = 0; j < 4; j++) {
            frame[5 + j] = (byte) (stream >>> (24 - 8 * j));
        }
        System.arraycopy(payload, 0, frame, 9, payload.length);
        return frame;
    }

    /// A header block with a request's pseudo headers and further fields, name and value by turns, none indexed.
    static byte[] request(String method, String authority, String... fields) {
        var block = new ByteArrayOutputStream();
        block.writeBytes(new byte[] {(byte) (method.equals("POST") ? 0x83 : 0x82), (byte) 0x86, (byte) 0x84, 0x01});
        text(block, authority);
        block.writeBytes(fields(fields));
        return block.toByteArray();
    }

    static byte[] fields(String... fields) {
        var block = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i += 2) {
            block.write(0);
            text(block, fields[i]);
            text(block, fields[i + 1]);
        }
        return block.toByteArray();
    }

    private static void text(ByteArrayOutputStream to, String text) {
        if (text.length() > 126) {
            throw new IllegalArgumentException("one byte must hold the length");
        }
        to.write(text.length());
        to.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    /// The next frame; null where the connection has ended.
    @Nullable
    Frame read() {
        try {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt();
            var payload = new byte[length];
            in.readFully(payload);
            return new Frame(type, flags, stream, payload);
        } catch (SocketTimeoutException stands) {
            throw new AssertionError("the connection neither speaks nor ends", stands);
        } catch (IOException _) {
            return null;
        }
    }

    /// Skips to the next frame of a type; settings and pings on the way are acknowledged.
    Frame next(int type) {
        return next(type, _ -> {});
    }

    /// As [#next(int)]; what stands in frames of data on the way is told.
    Frame next(int type, Consumer<byte[]> data) {
        for (var frame = read(); frame != null; frame = read()) {
            if (frame.type() == type) {
                return frame;
            }
            if (frame.type() == DATA) {
                data.accept(frame.payload());
            }
            if ((frame.type() == SETTINGS || frame.type() == PING) && !frame.has(ACK)) {
                acknowledge(frame);
            }
        }
        throw new AssertionError("the connection ended before a frame of type " + type);
    }

    private void acknowledge(Frame frame) {
        try {
            write(frame.type(), ACK, 0, frame.type() == PING ? frame.payload() : new byte[0]);
        } catch (IOException _) {
            // The other side has closed; what it said before can still be read.
        }
    }

    /// Says nothing more, and still hears.
    void end() throws IOException {
        socket.shutdownOutput();
    }

    /// Until the other side closes the connection.
    void readToEnd() {
        while (read() != null) {}
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
