package dev.bodyguard.proxy.sidecar;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Where the app of this pod is reached: at the address that the caller meant, from an address by which the kernel
/// tells a sidecar on its way to the app from one that calls its own pod.
///
/// A port that the pod declares is also looked for on loopback, where the app listens on nothing else: to declare it
/// is to say that others may call it. An undeclared one is not, since what listens on loopback only is there to be
/// reached by nobody else.
final class AppPlace {
    /// As `images/init/capture` has it.
    private static final InetAddress FROM_4 = InetAddress.ofLiteral("127.0.0.6");

    private static final InetAddress FROM_6 = InetAddress.ofLiteral("::6");
    private static final List<InetAddress> LOOPBACK =
            List.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral("::1"));

    private final List<InetAddress> own;
    private final Set<Integer> declared;
    /// Ports whose app was found on loopback, and there.
    private final Map<Integer, InetAddress> onLoopback = new ConcurrentHashMap<>();

    /// @param own the pod's addresses, at least one
    /// @param declared ports of its containers
    AppPlace(List<InetAddress> own, List<Integer> declared) {
        this.own = List.copyOf(own);
        this.declared = Set.copyOf(declared);
    }

    /// The pod's first address.
    InetAddress own() {
        return own.getFirst();
    }

    /// Where to go for a caller that meant an address: first where the app was found last.
    ///
    /// @param attempt 0 for the first; others follow where nobody listened
    /// @return empty after the last
    Optional<InetSocketAddress> of(InetSocketAddress meant, int attempt) {
        int port = meant.getPort();
        if (!declared.contains(port)) {
            return attempt == 0 ? Optional.of(meant) : Optional.empty();
        }
        var found = onLoopback.get(port);
        var places = found == null
                ? List.of(meant.getAddress(), LOOPBACK.getFirst(), LOOPBACK.getLast())
                : List.of(
                        found,
                        meant.getAddress(),
                        found.equals(LOOPBACK.getFirst()) ? LOOPBACK.getLast() : LOOPBACK.getFirst());
        return attempt < places.size()
                ? Optional.of(new InetSocketAddress(places.get(attempt), port))
                : Optional.empty();
    }

    /// Somebody listens there.
    void found(InetSocketAddress place) {
        if (!declared.contains(place.getPort())) {
            return;
        }
        if (place.getAddress().isLoopbackAddress()) {
            onLoopback.put(place.getPort(), place.getAddress());
        } else {
            onLoopback.remove(place.getPort());
        }
    }

    /// Which address to connect from; empty for any.
    Optional<InetAddress> from(InetAddress to) {
        boolean here = own.contains(to);
        return here ? Optional.of(to instanceof Inet4Address ? FROM_4 : FROM_6) : Optional.empty();
    }
}
