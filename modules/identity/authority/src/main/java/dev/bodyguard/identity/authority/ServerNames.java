package dev.bodyguard.identity.authority;

import java.net.InetAddress;
import java.util.List;

/// Names besides the SPIFFE id, for servers that are also reached by clients that check host names.
public record ServerNames(List<String> dns, List<InetAddress> addresses) {
    /// None: an ordinary workload.
    public static final ServerNames NONE = new ServerNames(List.of(), List.of());

    public ServerNames {
        dns = List.copyOf(dns);
        addresses = List.copyOf(addresses);
    }

    /// `localhost`, `127.0.0.1` and `::1`.
    public static ServerNames loopback() {
        return new ServerNames(
                List.of("localhost"), List.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral("::1")));
    }
}
