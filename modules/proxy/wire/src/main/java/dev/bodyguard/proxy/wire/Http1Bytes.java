package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;

/// HTTP/1 messages as bytes.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Http1Bytes {
    private static final byte[] HTTP_1_1 = ascii("HTTP/1.1 ");
    private static final byte[] REQUEST_END = ascii(" HTTP/1.1\r\nhost: ");
    private static final byte[] COLON = ascii(": ");
    private static final byte[] CRLF = ascii("\r\n");
    private static final ByteBuf CHUNK_END =
            Unpooled.unreleasableBuffer(Unpooled.directBuffer(2).writeBytes(CRLF));
    private static final ByteBuf LAST_CHUNK =
            Unpooled.unreleasableBuffer(Unpooled.directBuffer(5).writeBytes(ascii("0\r\n\r\n")));
    static final AsciiString CONTENT_LENGTH = AsciiString.cached("content-length");

    /// How the bytes of a body say where it ends.
    enum Framing {
        /// There is no body.
        NONE,
        /// By a content-length, which the fields hold.
        LENGTH,
        CHUNKED,
        /// By the end of the connection.
        CLOSE
    }

    /// What an answer says of its connection.
    enum Persistence {
        /// It goes on, as HTTP/1.1's do.
        UNSAID,
        /// It goes on, which a client of HTTP/1.0 has to be told (RFC 9112 §C.2.2).
        KEEP_ALIVE,
        CLOSE
    }

    private Http1Bytes() {}

    static ByteBuf request(ByteBufAllocator allocator, Request head, Framing framing) {
        var out = allocator.directBuffer(512);
        ByteBufUtil.writeAscii(out, head.method());
        out.writeByte(' ');
        ByteBufUtil.writeAscii(out, head.path());
        out.writeBytes(REQUEST_END);
        ByteBufUtil.writeAscii(out, head.authority());
        out.writeBytes(CRLF);
        fields(out, head.fields());
        if (framing == Framing.CHUNKED) {
            out.writeBytes(ascii("transfer-encoding: chunked\r\n"));
        }
        if (head.protocol() != null) {
            upgrade(out, head.protocol());
        }
        return out.writeBytes(CRLF);
    }

    /// The answer after which the connection speaks `protocol`.
    static ByteBuf switching(ByteBufAllocator allocator, Fields fields, String protocol) {
        var out = allocator.directBuffer(512);
        out.writeBytes(ascii("HTTP/1.1 101 Switching Protocols\r\n"));
        fields(out, fields);
        upgrade(out, protocol);
        return out.writeBytes(CRLF);
    }

    private static void upgrade(ByteBuf out, String protocol) {
        out.writeBytes(ascii("connection: Upgrade\r\nupgrade: " + protocol + "\r\n"));
    }

    static ByteBuf response(
            ByteBufAllocator allocator, int status, Fields fields, Framing framing, Persistence persistence) {
        var out = allocator.directBuffer(512);
        out.writeBytes(HTTP_1_1);
        ByteBufUtil.writeAscii(out, Integer.toString(status));
        out.writeByte(' ');
        ByteBufUtil.writeAscii(out, HttpResponseStatus.valueOf(status).reasonPhrase());
        out.writeBytes(CRLF);
        fields(out, fields);
        if (framing == Framing.CHUNKED) {
            out.writeBytes(ascii("transfer-encoding: chunked\r\n"));
        }
        switch (persistence) {
            case UNSAID -> {}
            case KEEP_ALIVE -> out.writeBytes(ascii("connection: keep-alive\r\n"));
            case CLOSE -> out.writeBytes(ascii("connection: close\r\n"));
        }
        return out.writeBytes(CRLF);
    }

    private static void fields(ByteBuf out, Fields fields) {
        for (int i = 0; i < fields.count(); i++) {
            var value = fields.rawValue(i);
            out.ensureWritable(fields.rawName(i).length() + value.length() + 4);
            fields.writeName(out, i);
            out.writeBytes(COLON);
            out.writeBytes(value.array(), value.arrayOffset(), value.length());
            out.writeBytes(CRLF);
        }
    }

    /// Writes one chunk of a body; takes over `data`.
    static void body(ChannelHandlerContext ctx, Framing framing, ByteBuf data, boolean last) {
        if (framing == Framing.NONE) {
            data.release();
            return;
        }
        if (!data.isReadable()) {
            data.release();
        } else if (framing == Framing.CHUNKED) {
            var size = ctx.alloc().directBuffer(12);
            ByteBufUtil.writeAscii(size, Integer.toHexString(data.readableBytes()));
            ctx.write(size.writeBytes(CRLF), ctx.voidPromise());
            ctx.write(data, ctx.voidPromise());
            ctx.write(CHUNK_END.duplicate(), ctx.voidPromise());
        } else {
            ctx.write(data, ctx.voidPromise());
        }
        if (last && framing == Framing.CHUNKED) {
            ctx.write(LAST_CHUNK.duplicate(), ctx.voidPromise());
        }
    }

    static void trailers(ChannelHandlerContext ctx, Framing framing, Fields trailers) {
        if (framing == Framing.CHUNKED) {
            var out = ctx.alloc().directBuffer(128);
            out.writeByte('0').writeBytes(CRLF);
            fields(out, trailers);
            ctx.write(out.writeBytes(CRLF), ctx.voidPromise());
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
