package dev.bodyguard.telemetry.service;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/// A body of OTLP over HTTP, read up to a limit before and after it is inflated.
final class Body {
    /// A sidecar ends a body at half a MiB; what is parsed of one takes many times its bytes.
    static final int MOST = 1 << 20;

    private Body() {}

    static byte[] read(InputStream from, @Nullable String type, @Nullable String encoding) throws IOException, Refused {
        if (type == null || !type.split(";", 2)[0].strip().equalsIgnoreCase("application/x-protobuf")) {
            throw new Refused(415, "OTLP is taken as application/x-protobuf here, not as " + type);
        }
        return switch (encoding == null ? "identity" : encoding.strip()) {
            case "", "identity" -> bounded(from);
            case "gzip" -> inflated(bounded(from));
            default -> throw new Refused(415, "a body may be encoded by gzip or not at all, not by " + encoding);
        };
    }

    private static byte[] inflated(byte[] gzip) throws IOException, Refused {
        try (var from = new GZIPInputStream(new java.io.ByteArrayInputStream(gzip))) {
            return bounded(from);
        } catch (ZipException | java.io.EOFException broken) {
            throw new Refused(400, "the body is not gzip: " + broken.getMessage());
        }
    }

    private static byte[] bounded(InputStream from) throws IOException, Refused {
        byte[] bytes = from.readNBytes(MOST + 1);
        if (bytes.length > MOST) {
            throw new Refused(413, "a body may have " + MOST + " bytes at most, inflated too");
        }
        return bytes;
    }
}
