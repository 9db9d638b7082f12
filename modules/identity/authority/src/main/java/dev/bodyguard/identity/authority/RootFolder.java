package dev.bodyguard.identity.authority;

import dev.bodyguard.identity.spiffe.PrivateFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Objects;
import java.util.Optional;

/// A root in one file, `root-key.pem`, of a folder that only its owner may enter: certificate and key, written together
/// so that they always belong together.
public final class RootFolder implements RootStore {
    private final Path file;

    public RootFolder(Path folder) {
        this.file = Objects.requireNonNull(folder).resolve("root-key.pem");
    }

    @Override
    public Optional<Root> load() throws IOException {
        try {
            return Optional.of(Root.ofPem(Files.readString(file)));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (GeneralSecurityException | IllegalArgumentException broken) {
            throw new IOException(
                    file + " is not the root of an authority: " + broken.getMessage()
                            + "; restore it, or remove it to start a new mesh whose workloads must join again",
                    broken);
        }
    }

    @Override
    public void keep(Root root) throws IOException {
        PrivateFiles.writeNew(file, root.toPem().getBytes(StandardCharsets.US_ASCII));
    }

    /// The file's name.
    @Override
    public String toString() {
        return file.toString();
    }
}
