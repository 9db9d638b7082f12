package dev.bodyguard.identity.spiffe;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/// A workload's ticket into the mesh: good for one service account in one namespace, made by [JoinKey] or by a
/// Kubernetes
/// API server. Whoever holds it can be that service, so its text is for the wire and for its file (0600) only.
public record JoinToken(String text) {
    /// In bytes; more is nobody's token.
    public static final int LONGEST = 16 << 10;

    public JoinToken {
        Objects.requireNonNull(text);
    }

    public static JoinToken read(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            var bytes = in.readNBytes(LONGEST + 2);
            if (bytes.length > LONGEST + 1) {
                throw new IOException(file + " is not a join token: it has more than " + LONGEST + " bytes");
            }
            return new JoinToken(new String(bytes, StandardCharsets.UTF_8).strip());
        }
    }

    public void write(Path file) throws IOException {
        PrivateFiles.write(file, (text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /// Not the token.
    @Override
    public String toString() {
        return "join token";
    }
}
