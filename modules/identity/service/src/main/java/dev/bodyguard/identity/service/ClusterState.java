package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.JournalFile;
import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.identity.spiffe.TrustBundle;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/// What identity keeps in a Kubernetes cluster: the root in the Secret `bodyguard-ca`, its certificate in the ConfigMap
/// `bodyguard-root` of every namespace. Only its journal is in a folder. Nobody has a join token: the cluster's own
/// tokens prove who somebody is.
public final class ClusterState implements AutoCloseable {
    /// Where the root is, for people.
    public static final String WHERE = "Secret " + ServerSvid.NAMESPACE + "/" + SecretRoot.NAME;

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration NEXT_TRY = Duration.ofSeconds(1);

    private final KubernetesClient client;
    private final JournalFile journal;
    private final Authority authority;
    private final NamespaceRoots roots;
    private final Tokens tokens;

    private ClusterState(
            KubernetesClient client,
            JournalFile journal,
            Authority authority,
            NamespaceRoots roots,
            InstantSource clock) {
        this.client = client;
        this.journal = journal;
        this.authority = authority;
        this.roots = roots;
        this.tokens = new ClusterTokens(client, clock);
    }

    /// Finds the mesh's root in the cluster or founds the mesh there, and begins to tell every namespace. An API server
    /// that does not answer is waited for, a minute at most.
    ///
    /// @param folder of the journal
    public static ClusterState open(
            Path folder,
            String trustDomain,
            Authority.Lifetimes lifetimes,
            Events events,
            InstantSource clock,
            SecureRandom random)
            throws IOException, InterruptedException {
        var journal = JournalFile.open(
                PrivateFiles.folder(folder).resolve("authority").resolve("journal"));
        var client = Cluster.client();
        try {
            var authority = authority(trustDomain, new SecretRoot(client), lifetimes, journal, events, clock, random);
            var roots = NamespaceRoots.start(client, authority.bundle().toPem(), events);
            return new ClusterState(client, journal, authority, roots, clock);
        } catch (IOException | RuntimeException | InterruptedException failed) {
            client.close();
            journal.close();
            throw failed;
        }
    }

    private static Authority authority(
            String trustDomain,
            SecretRoot store,
            Authority.Lifetimes lifetimes,
            JournalFile journal,
            Events events,
            InstantSource clock,
            SecureRandom random)
            throws IOException, InterruptedException {
        var until = clock.instant().plus(PATIENCE);
        var told = "";
        while (true) {
            try {
                return Authority.open(trustDomain, store, lifetimes, journal, clock, random);
            } catch (KubernetesClientException failed) {
                var why = Cluster.why(failed);
                if (!Cluster.passes(failed) || clock.instant().isAfter(until)) {
                    throw new IOException("the root in " + store + " can be neither read nor founded: " + why, failed);
                }
                if (!why.equals(told)) {
                    told = why;
                    events.rootNotReached(WHERE, why);
                }
                Thread.sleep(NEXT_TRY);
            }
        }
    }

    public Authority authority() {
        return authority;
    }

    public Tokens tokens() {
        return tokens;
    }

    public TrustBundle bundle() {
        return authority.bundle();
    }

    /// Why pods cannot join yet; empty if they can.
    public Optional<String> unready() {
        return roots.unready();
    }

    @Override
    public void close() throws IOException {
        roots.close();
        client.close();
        journal.close();
    }
}
