package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.JournalFile;
import dev.bodyguard.identity.authority.RootFolder;
import dev.bodyguard.identity.spiffe.JoinKey;
import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;

/// What identity keeps in a mesh's state folder: `authority/` (root, journal), `root.pem`, `join.key` and
/// `join/<name>.token`. All of it is its owner's only.
public final class MeshState implements AutoCloseable {
    /// The services that join like workloads where they are processes of their own.
    static final List<String> SERVICES = List.of("config", "discovery", "injector", "telemetry");

    private static final String DEFAULT_NAMESPACE = "default";

    private final Path folder;
    private final Authority authority;
    private final JoinKey joinKey;
    private final JournalFile journal;

    private MeshState(Path folder, Authority authority, JoinKey joinKey, JournalFile journal) {
        this.folder = folder;
        this.authority = authority;
        this.joinKey = joinKey;
        this.journal = journal;
    }

    /// Opens the folder, or founds a mesh in it, and writes `root.pem`.
    public static MeshState open(
            Path folder, String trustDomain, Authority.Lifetimes lifetimes, InstantSource clock, SecureRandom random)
            throws IOException {
        PrivateFiles.folder(folder);
        var own = PrivateFiles.folder(folder.resolve("authority"));
        var journal = JournalFile.open(own.resolve("journal"));
        try {
            var authority = Authority.open(trustDomain, new RootFolder(own), lifetimes, journal, clock, random);
            authority.bundle().write(folder.resolve("root.pem"));
            var joinKey = JoinKey.openOrCreate(folder.resolve("join.key"), random);
            return new MeshState(folder, authority, joinKey, journal);
        } catch (IOException | RuntimeException failed) {
            journal.close();
            throw failed;
        }
    }

    public Authority authority() {
        return authority;
    }

    public JoinKey joinKey() {
        return joinKey;
    }

    /// Those of the join key.
    public Tokens tokens() {
        return new JoinTokens(joinKey);
    }

    public TrustBundle bundle() {
        return authority.bundle();
    }

    /// Writes the join token of a service account unless it is there already, and says where.
    ///
    /// @return `join/<name>.token`, for namespaces besides `default` `join/<name>.<namespace>.token`
    /// @throws IllegalArgumentException for the control plane's own namespace: whoever may write documents must not
    ///     become config or discovery by naming them
    public Path admit(String namespace, String serviceAccount) throws IOException {
        if (namespace.equals(ServerSvid.NAMESPACE)) {
            throw new IllegalArgumentException("no join token for service account " + namespace + "/" + serviceAccount
                    + ": namespace " + ServerSvid.NAMESPACE + " is the control plane's own; name another one");
        }
        return write(namespace, serviceAccount);
    }

    /// The same for a service of the control plane that runs in a process of its own.
    void admitService(String serviceAccount) throws IOException {
        write(ServerSvid.NAMESPACE, serviceAccount);
    }

    private Path write(String namespace, String serviceAccount) throws IOException {
        // Minted first: a name that is not one path segment ends here.
        var token = joinKey.mint(namespace, serviceAccount);
        var name = namespace.equals(DEFAULT_NAMESPACE) ? serviceAccount : serviceAccount + "." + namespace;
        var file = folder.resolve("join").resolve(name + ".token");
        if (!Files.exists(file) || !Files.readString(file).strip().equals(token.text())) {
            token.write(file);
        }
        return file;
    }

    @Override
    public void close() throws IOException {
        journal.close();
    }
}
