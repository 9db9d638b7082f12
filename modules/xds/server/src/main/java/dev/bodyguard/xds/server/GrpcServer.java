package dev.bodyguard.xds.server;

import io.grpc.BindableService;
import java.io.IOException;
import java.util.List;

/// gRPC services on one port. Handlers run on virtual threads and may block; [Peer#current()] tells them whom they
/// serve.
public sealed interface GrpcServer extends AutoCloseable permits HelidonGrpcServer, NettyGrpcServer {
    /// The library that carries the calls.
    enum Transport {
        /// grpc-java on Netty: the ordinary choice.
        NETTY,
        /// Helidon 4.5.0. It does not tell a stream that its connection broke: such a stream, and its part of what its
        /// peer may have, stays until something is written to it, which fails.
        HELIDON
    }

    /// What carries the calls, and how much of it.
    record Carriage(Transport transport, Connections connections) {
        /// With as many connections as usual.
        public static Carriage by(Transport transport) {
            return new Carriage(transport, Connections.ordinary());
        }
    }

    /// Listens with TLS, over the ordinary transport.
    ///
    /// @param port 0 for any free one
    /// @throws IOException when it cannot listen there; the message names the address
    static GrpcServer start(String host, int port, ServerTls tls, List<? extends BindableService> services)
            throws IOException {
        return start(Carriage.by(Transport.NETTY), host, port, tls, services);
    }

    /// Listens with TLS.
    ///
    /// @param port 0 for any free one
    /// @throws IOException when it cannot listen there; the message names the address
    static GrpcServer start(
            Carriage carriage, String host, int port, ServerTls tls, List<? extends BindableService> services)
            throws IOException {
        return switch (carriage.transport) {
            case NETTY -> NettyGrpcServer.start(carriage.connections, host, port, tls, services);
            case HELIDON -> HelidonGrpcServer.start(carriage.connections, host, port, tls, services);
        };
    }

    /// Listens without TLS: for tests and loopback experiments.
    static GrpcServer startPlaintext(
            Transport transport, String host, int port, List<? extends BindableService> services) throws IOException {
        return switch (transport) {
            case NETTY -> NettyGrpcServer.start(Connections.ordinary(), host, port, null, services);
            case HELIDON -> HelidonGrpcServer.start(Connections.ordinary(), host, port, null, services);
        };
    }

    /// Where it listens.
    int port();

    /// New connections see this key, chain and trust; those that are open stay as they are. Whether clients must show
    /// a certificate cannot be changed.
    void reloadTls(ServerTls tls);

    /// Ends all calls and stops listening.
    @Override
    void close();
}
