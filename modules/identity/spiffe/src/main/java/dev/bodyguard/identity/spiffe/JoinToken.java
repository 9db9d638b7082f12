package dev.bodyguard.identity.spiffe;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/// A workload's ticket into the mesh: good for one service account in one namespace. Whoever holds it can be that
/// service, so its text is for the wire and for its file (0600) only.
public record JoinToken(String text) {
    /// Namespaces and names are at most 253 characters each; more is not a token of ours.
    static final int LONGEST = 1024;

    public JoinToken {
        Objects.requireNonNull(text);
    }

    public static JoinToken read(Path file) throws IOException {
        if (Files.size(file) > LONGEST + 1) {
            throw new IOException(file + " is not a join token: it is too long");
        }
        return new JoinToken(Files.readString(file).strip());
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
