package dev.bodyguard.cli;

import dev.bodyguard.identity.client.Enrolment;
import dev.bodyguard.identity.client.Events;
import dev.bodyguard.identity.client.LiveSvid;
import dev.bodyguard.identity.client.LoggedEvents;
import dev.bodyguard.identity.client.MeshChannel;
import dev.bodyguard.identity.spiffe.JoinKey;
import dev.bodyguard.identity.spiffe.JoinToken;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.TrustBundle;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `bodyguard identity fetch`: an SVID in files, renewed until this ends.
@Command(
        name = "fetch",
        description = {
            "Keeps a service's key, certificate and the mesh's roots in a folder, renewed at two thirds of their life,"
                    + " until it is stopped. What cannot be written is tried again every few seconds.",
            "Writes key.pem, cert.pem and root.pem, and for Envoy's path_config_source sds-default.yaml and"
                    + " sds-rootca.yaml. Each file is replaced in one step and readable by its owner only."
        },
        mixinStandardHelpOptions = true)
final class FetchCommand implements Runnable {
    private static final System.Logger LOG = System.getLogger("bodyguard.identity");
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Pattern HOST_PORT = Pattern.compile(".+:[0-9]{1,5}");

    @Mixin
    private StateFolder state = new StateFolder();

    @Option(names = "--service", paramLabel = "NAME", required = true, description = "The service to be.")
    private @Nullable String service;

    @Option(names = "--namespace", defaultValue = "default", description = "Its namespace (${DEFAULT-VALUE}).")
    private String namespace = "default";

    @Option(
            names = "--identity",
            paramLabel = "HOST:PORT",
            description = "Where identity is, for one that is a process of its own (default: what BODYGUARD_IDENTITY"
                    + " names, else as control-plane.json in the state folder says).")
    private @Nullable String identity;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Where to write; made if missing.")
    private @Nullable Path out;

    @Option(
            names = "--ttl",
            paramLabel = "DURATION",
            converter = DemoCommand.Spans.class,
            description = "Life of a certificate, such as 1h (default: 24h).")
    private Duration ttl = Duration.ofHours(24);

    @Option(names = "--once", description = "End after the first certificate is written.")
    private boolean once;

    @Override
    public void run() {
        if (service == null || out == null) {
            throw new Failure("identity fetch needs --service NAME and --out DIR");
        }
        if (identity != null && !HOST_PORT.matcher(identity).matches()) {
            throw new Failure("--identity must be HOST:PORT, such as 127.0.0.1:15013, was '" + identity + "'");
        }
        // One line each, as the sidecar's.
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tT.%1$tL %4$s %5$s%6$s%n");
        try {
            fetch(state.folder(), service, new SvidFolder(out));
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void fetch(Path mesh, String name, SvidFolder folder) throws InterruptedException {
        var clock = InstantSource.system();
        var enrolment = enrolment(mesh, name);
        var roots = enrolment.roots();
        try (var upkeep = Upkeep.start(folder, Upkeep.PAUSE, LOG::log);
                var _ = LiveSvid.start(
                        enrolment,
                        () -> toIdentity(mesh, roots, clock),
                        Events.both(new LoggedEvents(LOG), upkeep),
                        clock)) {
            var first = upkeep.first().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            System.out.println(first.id() + " until " + first.expiresAt() + " in " + folder.path());
            if (!once) {
                Thread.currentThread().join();
            }
        } catch (TimeoutException late) {
            throw new Failure("no certificate for " + enrolment.id() + " within " + PATIENCE.toSeconds()
                    + " s; the lines above say why");
        } catch (ExecutionException notWritten) {
            var why = notWritten.getCause();
            throw new Failure(String.valueOf(why == null ? notWritten.getMessage() : why.getMessage()));
        }
    }

    private Enrolment enrolment(Path mesh, String name) {
        var root = mesh.resolve("root.pem");
        if (!Files.isReadable(root)) {
            throw new Failure(root + ": cannot be read; start the control plane with --state " + mesh + " first");
        }
        try {
            var roots = TrustBundle.read(root);
            return new Enrolment(
                    SpiffeId.ofServiceAccount(roots.trustDomain(), namespace, name),
                    () -> token(mesh, name),
                    roots,
                    ttl,
                    null);
        } catch (IOException | IllegalArgumentException unusable) {
            throw new Failure(String.valueOf(unusable.getMessage()));
        }
    }

    /// The token that the control plane left, or one of our own making where we may read its key.
    private JoinToken token(Path mesh, String name) throws IOException {
        var account = namespace.equals("default") ? name : name + "." + namespace;
        var file = mesh.resolve("join").resolve(account + ".token");
        if (Files.isReadable(file)) {
            return JoinToken.read(file);
        }
        var key = mesh.resolve("join.key");
        if (!Files.isReadable(key)) {
            throw new IOException("neither " + file + " nor " + key + " can be read; start the control plane with"
                    + " --state " + mesh + " first, and call this as the same user");
        }
        return JoinKey.read(key).mint(namespace, name);
    }

    /// Wherever it listens now: the control plane may come back on another port.
    private ManagedChannel toIdentity(Path mesh, TrustBundle roots, InstantSource clock) throws IOException {
        var address = identity == null ? announced(mesh) : identity;
        var server = SpiffeId.ofServiceAccount(roots.trustDomain(), "bodyguard-system", "identity");
        return new MeshChannel(
                        server,
                        () -> roots,
                        () -> null,
                        refused -> LOG.log(Level.ERROR, "identity is not who it should be: " + refused.sentence()),
                        clock)
                .to(address)
                .build();
    }

    private static String announced(Path mesh) throws IOException {
        var file = mesh.resolve(LocalMesh.CONTROL_PLANE);
        String told;
        try {
            told = Files.readString(file);
        } catch (NoSuchFileException _) {
            throw new IOException("there is no " + file + ", which `bodyguard run` writes while it runs; start that, or"
                    + " say where identity is by --identity or BODYGUARD_IDENTITY where it is a process of its own"
                    + " (`bodyguard service identity`)");
        }
        if (Json.object(told).get("identity") instanceof String address) {
            return address;
        }
        throw new IOException(file + " does not say where identity is; say it by --identity or BODYGUARD_IDENTITY");
    }
}
