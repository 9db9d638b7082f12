package dev.bodyguard.xds.server;

import dev.bodyguard.identity.spiffe.Svid;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Hands each renewed SVID to the server that shows it. It may come before there is a server.
public final class TlsReload implements Consumer<Svid> {
    // Guarded by this.
    private @Nullable Svid newest;
    private @Nullable Consumer<ServerTls> server;

    public TlsReload() {}

    @Override
    public synchronized void accept(Svid svid) {
        newest = svid;
        if (server != null) {
            server.accept(ServerTls.of(svid));
        }
    }

    /// Here is the server.
    ///
    /// @param server such as [GrpcServer#reloadTls]
    public synchronized void into(Consumer<ServerTls> server) {
        this.server = server;
        if (newest != null) {
            server.accept(ServerTls.of(newest));
        }
    }
}
