package dev.bodyguard.proxy.wire;

import io.netty.channel.epoll.EpollSocketChannel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Where a connection was to go before the kernel handed it to this process: `SO_ORIGINAL_DST` of netfilter (REDIRECT),
/// otherwise its own local address, which is the one with TPROXY.
final class OriginalDestination {
    private static final int SOL_IP = 0;
    private static final int SOL_IPV6 = 41;
    /// The same number for both families (linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h).
    private static final int SO_ORIGINAL_DST = 80;

    private static final int EBADF = 9;
    private static final int ENOENT = 2;
    private static final int ENOPROTOOPT = 92;
    /// Of a `sockaddr_in6`, the larger one.
    private static final int SOCKADDR = 28;

    private static final int AF_INET = 2;

    private static final ValueLayout.OfShort PORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle GETSOCKOPT = getsockopt();

    private OriginalDestination() {}

    @SuppressWarnings("restricted") // The one native call of this module.
    private static MethodHandle getsockopt() {
        var linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow("getsockopt"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS),
                Linker.Option.captureCallState("errno"));
    }

    /// Links the call, which takes a tenth of a second the first time.
    static void warm() throws IOException {
        int closed = -1;
        if (!(ask(closed, SOL_IP) instanceof Told.Failed(int errno)) || errno != EBADF) {
            throw new IOException("getsockopt does not answer as on Linux");
        }
    }

    /// Null where the connection was not captured: whoever connected, meant this listener.
    ///
    /// @param listener the port at which it was accepted
    static @Nullable InetSocketAddress of(EpollSocketChannel accepted, int listener) throws IOException {
        var local = accepted.localAddress();
        boolean v4 = local.getAddress() instanceof Inet4Address;
        var meant = switch (ask(accepted.fd().intValue(), v4 ? SOL_IP : SOL_IPV6)) {
            case Told.Where(var address) -> address;
            // No translation is known of it: ENOENT; no netfilter: ENOPROTOOPT.
            case Told.Failed(int errno) when errno == ENOENT || errno == ENOPROTOOPT -> local;
            case Told.Failed(int errno) ->
                throw new IOException("getsockopt(SO_ORIGINAL_DST) failed with errno " + errno);
        };
        return meant.getPort() == listener && meant.getAddress().equals(local.getAddress()) ? null : meant;
    }

    private sealed interface Told {
        record Where(InetSocketAddress address) implements Told {}

        record Failed(int errno) implements Told {}
    }

    private static Told ask(int descriptor, int level) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(STATE);
            var address = arena.allocate(SOCKADDR);
            var length = arena.allocateFrom(ValueLayout.JAVA_INT, SOCKADDR);
            int result = (int) GETSOCKOPT.invokeExact(state, descriptor, level, SO_ORIGINAL_DST, address, length);
            return result == 0 ? new Told.Where(read(address)) : new Told.Failed((int) ERRNO.get(state, 0L));
        } catch (IOException | RuntimeException | Error known) {
            throw known;
        } catch (Throwable impossible) {
            throw new IllegalStateException("getsockopt throws nothing", impossible);
        }
    }

    private static InetSocketAddress read(MemorySegment address) throws IOException {
        boolean v4 = address.get(ValueLayout.JAVA_SHORT, 0) == AF_INET;
        int port = Short.toUnsignedInt(address.get(PORT, 2));
        byte[] octets = (v4 ? address.asSlice(4, 4) : address.asSlice(8, 16)).toArray(ValueLayout.JAVA_BYTE);
        return new InetSocketAddress(InetAddress.getByAddress(octets), port);
    }
}
