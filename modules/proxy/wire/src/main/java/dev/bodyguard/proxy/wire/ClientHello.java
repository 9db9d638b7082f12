package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// What a TLS client says first, unencrypted (RFC 8446 §4.1.2), as far as it tells for whom the handshake is.
///
/// @param server of the extension server_name (RFC 6066 §3), empty where it is not there
/// @param protocols of the extension ALPN (RFC 7301), in the client's order
/// @param newest the newest version that is offered, as the protocol numbers them: [#TLS_1_3] or less, and that where
/// it
///     cannot be read
record ClientHello(String server, List<String> protocols, int newest) {
    static final int TLS_1_2 = 0x0303;
    static final int TLS_1_3 = 0x0304;
    static final int HANDSHAKE_RECORD = 0x16;
    private static final int RECORD_HEADER = 5;
    private static final int MESSAGE_HEADER = 4;
    private static final int CLIENT_HELLO = 1;
    /// TLS's own bound for a plaintext record; a hello in several records is read as far as the first one goes.
    private static final int LONGEST = 1 << 14;

    private static final int SERVER_NAME = 0;
    private static final int ALPN = 16;
    private static final int SUPPORTED_VERSIONS = 43;

    ClientHello {
        protocols = List.copyOf(protocols);
    }

    /// What bytes turn out to be.
    sealed interface Reading {
        record Hello(ClientHello hello) implements Reading {}

        /// They may become one.
        record Incomplete() implements Reading {}

        record NotTls() implements Reading {}
    }

    /// Reads without consuming.
    static Reading read(ByteBuf bytes) {
        int start = bytes.readerIndex();
        int length = bytes.readableBytes();
        if (length > 0 && bytes.getUnsignedByte(start) != HANDSHAKE_RECORD) {
            return new Reading.NotTls();
        }
        if (length > 1 && bytes.getUnsignedByte(start + 1) != 3) {
            return new Reading.NotTls();
        }
        if (length < RECORD_HEADER) {
            return new Reading.Incomplete();
        }
        int record = bytes.getUnsignedShort(start + 3);
        if (record < MESSAGE_HEADER || record > LONGEST) {
            return new Reading.NotTls();
        }
        if (length > RECORD_HEADER && bytes.getUnsignedByte(start + RECORD_HEADER) != CLIENT_HELLO) {
            return new Reading.NotTls();
        }
        if (length < RECORD_HEADER + record) {
            return new Reading.Incomplete();
        }
        return new Reading.Hello(hello(bytes.slice(start + RECORD_HEADER, record)));
    }

    private static ClientHello hello(ByteBuf message) {
        var server = "";
        List<String> protocols = List.of();
        int newest = TLS_1_3;
        try {
            message.skipBytes(MESSAGE_HEADER);
            // What it said before there was an extension for it, and still says beside that (RFC 8446 §4.2.1).
            newest = Math.min(message.readUnsignedShort(), TLS_1_2);
            message.skipBytes(32); // random
            message.skipBytes(message.readUnsignedByte()); // session
            message.skipBytes(message.readUnsignedShort()); // cipher suites
            message.skipBytes(message.readUnsignedByte()); // compression
            var extensions = message.readSlice(message.readUnsignedShort());
            while (extensions.isReadable()) {
                int type = extensions.readUnsignedShort();
                var body = extensions.readSlice(extensions.readUnsignedShort());
                switch (type) {
                    case SERVER_NAME -> server = serverName(body);
                    case ALPN -> protocols = protocols(body);
                    case SUPPORTED_VERSIONS -> newest = newest(body);
                    default -> {}
                }
            }
        } catch (IndexOutOfBoundsException _) {
            // Cut short, or a lie about a length: what was read until here is what it tells.
        }
        return new ClientHello(server, protocols, newest);
    }

    /// `TLS 1.2`
    String newestName() {
        return newest < TLS_1_2 - 2 ? "SSL" : "TLS 1." + (newest - TLS_1_2 + 2);
    }

    /// Those above [#TLS_1_3] are drafts, or made up so that nobody takes the list for closed (RFC 8701).
    private static int newest(ByteBuf list) {
        int newest = 0;
        list.skipBytes(1);
        while (list.isReadable()) {
            int version = list.readUnsignedShort();
            if (version <= TLS_1_3) {
                newest = Math.max(newest, version);
            }
        }
        return newest;
    }

    private static String serverName(ByteBuf list) {
        list.skipBytes(2 + 1); // length, host_name
        return text(list, list.readUnsignedShort());
    }

    private static List<String> protocols(ByteBuf list) {
        var protocols = new ArrayList<String>();
        list.skipBytes(2);
        while (list.isReadable()) {
            protocols.add(text(list, list.readUnsignedByte()));
        }
        return protocols;
    }

    private static String text(ByteBuf from, int length) {
        return from.readSlice(length).toString(StandardCharsets.US_ASCII);
    }
}
