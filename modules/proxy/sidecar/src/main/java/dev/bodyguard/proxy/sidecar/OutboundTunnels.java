package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Routing;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.Tunnel;
import dev.bodyguard.proxy.wire.TunnelHandler;
import dev.bodyguard.proxy.wire.TunnelListener;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/// What the app says inside CONNECT when it is not HTTP, TLS of its own above all: bytes to where the app addressed
/// them, as far as the outbound policy lets them out.
final class OutboundTunnels implements TunnelHandler {
    private static final int HTTPS = 443;
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    /// Here the server speaks first: FTP, SSH, Telnet, mail, MySQL.
    private static final Set<Integer> SERVER_FIRST = Set.of(21, 22, 23, 25, 110, 143, 587, 3306);

    /// A client that has said nothing for so long may be waiting for the server's first word.
    private static final Duration SILENCE = Duration.ofMillis(100);

    private final InForce<Generation> inForce;
    private final Resolver resolver;
    private final SidecarLog log;
    private final IntSupplier ownPort;

    OutboundTunnels(InForce<Generation> inForce, Resolver resolver, SidecarLog log, IntSupplier ownPort) {
        this.inForce = inForce;
        this.resolver = resolver;
        this.log = log;
        this.ownPort = ownPort;
    }

    @Override
    public TunnelListener open(Tunnel tunnel) {
        var opaque = new Opaque(tunnel);
        var to = Authority.parse(tunnel.destination(), HTTPS);
        if (to == null) {
            refuse(tunnel, "the destination cannot be read as host:port");
        } else if (SERVER_FIRST.contains(to.port())) {
            opaque.dial();
        } else {
            var _ = tunnel.loop().after(SILENCE, opaque::dialIfReachable);
        }
        return opaque;
    }

    private void refuse(Tunnel tunnel, String sentence) {
        log.tunnelRefused(tunnel.destination(), sentence);
        tunnel.close();
    }

    /// Owned by the tunnel's loop.
    private final class Opaque implements TunnelListener {
        private final Tunnel tunnel;
        private boolean over;
        private boolean dialled;
        private boolean spoken;

        Opaque(Tunnel tunnel) {
            this.tunnel = tunnel;
        }

        @Override
        public void onHttp() {
            over = true;
        }

        @Override
        public void onOpaque() {
            spoken = true;
            dial();
        }

        void dial() {
            dial(sentence -> refuse(tunnel, sentence));
        }

        /// As [#dial], but a client that may yet speak HTTP to a host that only the mesh knows is left in peace.
        void dialIfReachable() {
            if (!over) {
                dial(sentence -> {
                    dialled = false;
                    if (spoken) {
                        refuse(tunnel, sentence);
                    }
                });
            }
        }

        private void dial(Consumer<String> impossible) {
            var to = Authority.parse(tunnel.destination(), HTTPS);
            if (dialled || to == null) {
                return;
            }
            dialled = true;
            switch (inForce.get().plan().fallback()) {
                case Routing.Fallback.Block(int _, var sentence) -> impossible.accept(sentence);
                case Routing.Fallback.PassThrough _ ->
                    resolver.resolve(
                            to.host(),
                            answer -> tunnel.loop().execute(() -> {
                                if (over) {
                                    return;
                                }
                                switch (answer) {
                                    case Resolver.Answer.Missing(var sentence) -> impossible.accept(sentence);
                                    case Resolver.Answer.Found(var address) -> {
                                        if (address.isLoopbackAddress() && to.port() == ownPort.getAsInt()) {
                                            impossible.accept("the destination is this proxy itself");
                                        } else {
                                            tunnel.dial(new InetSocketAddress(address, to.port()), CONNECT_TIMEOUT);
                                        }
                                    }
                                }
                            }));
            }
        }

        @Override
        public void onDialFailed(Failure failure) {
            over = true;
            log.tunnelRefused(tunnel.destination(), failure.reason());
        }

        @Override
        public void onClosed(long sent, long received) {
            over = true;
        }
    }
}
