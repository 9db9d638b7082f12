package dev.bodyguard.dialect.reading;

import dev.bodyguard.model.Service.Protocol;
import java.util.Locale;
import java.util.Optional;

/// What is spoken on a port, as authors say it.
public final class Protocols {
    private Protocols() {}

    /// The protocol that a field names, else what the port's name begins with, else whatever the bytes tell.
    public static Protocol read(Fields port, String field, String name) {
        var written = port.text(field);
        if (written.isEmpty()) {
            int dash = name.indexOf('-');
            return known(dash < 0 ? name : name.substring(0, dash)).orElse(Protocol.DETECTED);
        }
        var known = known(written);
        if (known.isEmpty()) {
            port.warning(field, written + " is not a protocol known here; the bytes will tell");
        }
        return known.orElse(Protocol.DETECTED);
    }

    private static Optional<Protocol> known(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "http", "http1", "kubernetes.io/ws" -> Optional.of(Protocol.HTTP);
            case "http2", "h2c", "kubernetes.io/h2c" -> Optional.of(Protocol.HTTP2);
            case "grpc" -> Optional.of(Protocol.GRPC);
            case "https", "tls", "kubernetes.io/wss" -> Optional.of(Protocol.TLS);
            case "tcp", "mongo", "mysql", "redis" -> Optional.of(Protocol.TCP);
            default -> Optional.empty();
        };
    }
}
