package dev.bodyguard.proxy.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.Buffer;
import io.netty.channel.unix.RawUnixChannelOption;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Keeps a listening socket that is about to be closed from being given more connections. The kernel resets those
/// that it has accepted and the process has not, and there is always one more between the last look and the close.
/// So their first segment is dropped before: the client sends it again a second later (RFC 6298 §2.1), and finds
/// whoever listens then, or is refused.
final class Newcomers {
    /// `setsockopt(2)` of Linux, in asm-generic/socket.h.
    private static final int SOL_SOCKET = 1;

    private static final int SO_ATTACH_FILTER = 26;

    /// Where TCP's flags are in a segment (RFC 9293 §3.1), and two of them.
    private static final int FLAGS = 13;

    private static final int SYN = 0x02;
    private static final int ACK = 0x10;

    /// `struct sock_fprog` of 64-bit systems: how many instructions, and where.
    private static final int PROGRAM = 16;

    private static final RawUnixChannelOption ATTACH =
            new RawUnixChannelOption("SO_ATTACH_FILTER", SOL_SOCKET, SO_ATTACH_FILTER, PROGRAM);

    /// `TCP_INFO` of a listening socket tells in `tcpi_unacked` how many wait to be accepted (linux/tcp.h;
    /// net/ipv4/tcp.c,
    /// `tcp_get_info`).
    private static final int IPPROTO_TCP = 6;

    private static final int UNACKED = 24;

    private static final RawUnixChannelOption INFO =
            new RawUnixChannelOption("TCP_INFO", IPPROTO_TCP, 11, UNACKED + Integer.BYTES);

    private Newcomers() {}

    /// From now on; those whose handshake has begun are let through. Does nothing where the kernel is another.
    static void turnAway(Channel listening) {
        if (!(listening instanceof EpollServerSocketChannel)) {
            return;
        }
        // Classic BPF, Linux' Documentation/networking/filter.rst: an instruction is code, jumps if true and if false,
        // operand.
        var filter = ByteBuffer.allocateDirect(5 * Long.BYTES).order(ByteOrder.nativeOrder());
        instruction(filter, 0x30, 0, 0, FLAGS); // ldb
        instruction(filter, 0x54, 0, 0, SYN | ACK); // and
        instruction(filter, 0x15, 0, 1, SYN); // jeq
        instruction(filter, 0x06, 0, 0, 0); // ret: nothing of it
        instruction(filter, 0x06, 0, 0, -1); // ret: all of it
        var program = ByteBuffer.allocateDirect(PROGRAM).order(ByteOrder.nativeOrder());
        program.putShort(0, (short) (filter.position() / Long.BYTES));
        program.putLong(Long.BYTES, Buffer.memoryAddress(filter));
        try {
            listening.config().setOption(ATTACH, program);
        } catch (ChannelException _) {
            // A kernel that knows no filters: the one that comes at the very last is reset, as it always was.
        } finally {
            Reference.reachabilityFence(filter);
        }
    }

    /// How many the kernel has accepted and the process has not. None where the kernel is another, or the socket
    /// closed.
    static int waiting(Channel listening) {
        if (!(listening instanceof EpollServerSocketChannel) || !listening.isOpen()) {
            return 0;
        }
        try {
            return listening
                    .config()
                    .getOption(INFO)
                    .order(ByteOrder.nativeOrder())
                    .getInt(UNACKED);
        } catch (ChannelException _) {
            return 0;
        }
    }

    private static void instruction(ByteBuffer filter, int code, int ifTrue, int ifFalse, int operand) {
        filter.putShort((short) code).put((byte) ifTrue).put((byte) ifFalse).putInt(operand);
    }
}
