package dev.bodyguard.proxy.sidecar;

import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A host and a port, out of what a client wrote in `Host` or CONNECT.
///
/// @param host in lower case; an IPv6 address without its brackets
record Authority(String host, int port) {
    private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?");

    /// Null where the text is none.
    static @Nullable Authority parse(String text, int defaultPort) {
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon > bracket && (bracket >= 0 || text.indexOf(':') == colon);
        String host = hasPort ? text.substring(0, colon) : text;
        int port = defaultPort;
        if (hasPort) {
            port = port(text, colon + 1);
        }
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        return host.isEmpty() || port < 1 || port > 65_535 ? null : new Authority(host.toLowerCase(Locale.ROOT), port);
    }

    /// An IPv6 address as RFC 5952 writes it.
    static Authority of(InetSocketAddress address) {
        return new Authority(NetUtil.toAddressString(address.getAddress()), address.getPort());
    }

    private static int port(String text, int from) {
        int port = 0;
        if (from == text.length() || text.length() - from > 5) {
            return -1;
        }
        for (int i = from; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            port = port * 10 + digit;
        }
        return port;
    }

    /// The host that a TLS hello names (RFC 6066 §3), at this port; this one where it names none.
    Authority named(String server) {
        return HOST_NAME.matcher(server).matches() ? new Authority(server.toLowerCase(Locale.ROOT), port) : this;
    }

    Authority withPort(int other) {
        return other == port ? this : new Authority(host, other);
    }

    /// The name of the virtual host that speaks for it.
    String key() {
        return port + "/" + host;
    }

    @Override
    public String toString() {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
}
