package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/// How a service of the control plane that runs in a process of its own becomes a member of its mesh: with a join
/// token, like every other workload.
///
/// @param state folder with `root.pem` and `join/<account>.bodyguard-system.token`, as identity writes them;
///     the SVID is kept below it in `services/<account>/`
/// @param identity `host:port` of the identity service
public record Membership(Path state, String identity, String trustDomain) {
    /// The namespace of the control plane's own service accounts.
    public static final String NAMESPACE = "bodyguard-system";

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    public Membership {
        trustDomain = new SpiffeId(trustDomain, "").trustDomain();
    }

    /// `spiffe://<trust domain>/ns/bodyguard-system/sa/<service account>`
    public SpiffeId id(String serviceAccount) {
        return SpiffeId.ofServiceAccount(trustDomain, NAMESPACE, serviceAccount);
    }

    /// Gets the first SVID, and keeps it fresh.
    ///
    /// @param onRenewed hears of every SVID, to reload a server that shows it
    /// @throws IOException with a sentence for people: a file is missing, or identity gave no certificate
    public Member join(String serviceAccount, Consumer<Svid> onRenewed, InstantSource clock)
            throws IOException, InterruptedException {
        var log = System.getLogger("dev.bodyguard." + serviceAccount);
        var root = required(state.resolve("root.pem"));
        var token = required(state.resolve("join").resolve(serviceAccount + "." + NAMESPACE + ".token"));
        var roots = TrustBundle.read(trustDomain, root);
        var channel = new MeshChannel(
                id("identity"),
                () -> roots,
                () -> null,
                refused -> log.log(Level.ERROR, "identity is not who it should be: " + refused.sentence()),
                clock);
        var live = LiveSvid.start(
                new Enrolment(
                        id(serviceAccount),
                        Enrolment.Token.in(token),
                        roots,
                        Duration.ZERO,
                        state.resolve("services").resolve(serviceAccount)),
                () -> channel.to(identity).build(),
                Events.both(new LoggedEvents(log), new Events() {
                    @Override
                    public void rotated(Svid svid) {
                        onRenewed.accept(svid);
                    }
                }),
                clock);
        try {
            var _ = live.await(PATIENCE);
            return new Member(this, live, clock);
        } catch (TimeoutException late) {
            live.close();
            throw new IOException(late.getMessage() + ": is identity at " + identity + "?", late);
        } catch (InterruptedException stopped) {
            live.close();
            throw stopped;
        }
    }

    private static Path required(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException(
                    file + " does not exist; start identity first, or copy the file from its state folder");
        }
        return file;
    }
}
