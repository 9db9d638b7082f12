package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.client.Events;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.proxy.wire.MeshTls;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Every handshake from now on shows the renewed certificate.
record Rotation(AtomicReference<@Nullable MeshTls> tls) implements Events {
    @Override
    public void rotated(Svid svid) {
        var inUse = tls.get();
        if (inUse != null) {
            inUse.rotate(svid);
        }
    }
}
