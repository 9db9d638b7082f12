package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;

/// How a service of the control plane that runs in a process of its own becomes a member of its mesh: with a token,
/// like
/// every other workload.
///
/// @param proof what it shows, and by which roots it knows identity
/// @param state folder that keeps the SVID, in `services/<account>/`
/// @param identity `host:port` of the identity service
public record Membership(Proof proof, Path state, String identity, String trustDomain) {
    /// The namespace of the control plane's own service accounts.
    public static final String NAMESPACE = "bodyguard-system";

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    public Membership {
        Objects.requireNonNull(proof);
        Objects.requireNonNull(state);
        trustDomain = new SpiffeId(trustDomain, "").trustDomain();
    }

    /// As environment variables say: `BODYGUARD_STATE`, `BODYGUARD_TOKEN`, `BODYGUARD_ROOT`, `BODYGUARD_IDENTITY` and
    /// `BODYGUARD_TRUST_DOMAIN`.
    ///
    /// @param told the value of a variable, or else the second argument
    /// @throws IllegalArgumentException with a sentence that names the variable
    public static Membership from(BinaryOperator<String> told) {
        var state = told.apply("BODYGUARD_STATE", "");
        if (state.isEmpty()) {
            throw new IllegalArgumentException("BODYGUARD_STATE is not set: name the folder with root.pem and the join"
                    + " token, as identity writes them");
        }
        return new Membership(
                Proof.of(Path.of(state), told.apply("BODYGUARD_TOKEN", ""), told.apply("BODYGUARD_ROOT", "")),
                Path.of(state),
                told.apply("BODYGUARD_IDENTITY", "127.0.0.1:15013"),
                told.apply("BODYGUARD_TRUST_DOMAIN", "cluster.local"));
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
        var roots = proof.roots(trustDomain, log);
        var token = proof.token(serviceAccount);
        var channel = new MeshChannel(
                id("identity"),
                () -> roots,
                () -> null,
                refused -> log.log(Level.ERROR, "identity is not who it should be: " + refused.sentence()),
                clock);
        var live = LiveSvid.start(
                new Enrolment(
                        id(serviceAccount),
                        token,
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
}
