package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.JoinKey;
import dev.bodyguard.identity.spiffe.JoinToken;
import dev.bodyguard.identity.spiffe.PrivateFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The folder on one machine where a control plane and its sidecars find each other.
///
/// Whoever can read `join.key` may mint join tokens: that is the same user as the control plane's.
record StateFolder(Path root) {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\"\\s*:\\s*(?:\"([^\"\\\\]*)\"|(-?\\d+))");
    /// Where the control plane's services listen now.
    ///
    /// Each as `host:port`.
    ///
    /// @param otlp empty where nobody takes telemetry
    record ControlPlane(String identity, String xds, String discovery, String otlp) {}

    /// Reads `control-plane.json`; empty while there is none, or it is being replaced.
    Optional<ControlPlane> controlPlane() {
        Map<String, String> fields;
        try {
            fields = fields(Files.readString(root.resolve("control-plane.json")));
        } catch (IOException _) {
            return Optional.empty();
        }
        var identity = fields.get("identity");
        var xds = fields.get("xds");
        var discovery = fields.get("discovery");
        return identity == null || xds == null || discovery == null
                ? Optional.empty()
                : Optional.of(new ControlPlane(identity, xds, discovery, fields.getOrDefault("otlp", "")));
    }

    Path rootCertificates() {
        return root.resolve("root.pem");
    }

    /// This workload's own folder, made where it is missing.
    Path workload(String name) throws IOException {
        return PrivateFiles.folder(root.resolve("sidecars").resolve(name));
    }

    /// Whether this workload has run here before, and so may have a certificate and a plan to start with.
    boolean wasHere(String name) {
        return Files.exists(root.resolve("sidecars").resolve(name).resolve("svid.pem"));
    }

    /// The token that lets a service account join; minted from `join.key` where nobody left one.
    JoinToken joinToken(String namespace, String account) throws IOException {
        String name = namespace.equals("default") ? account : account + "." + namespace;
        Path file = root.resolve("join").resolve(name + ".token");
        if (Files.exists(file)) {
            var token = JoinToken.read(file);
            if (!isFor(token, namespace, account)) {
                throw new IOException("the token in " + file + " is not good for service account " + account
                        + " of namespace " + namespace + "; remove it, and whoever may read join.key gets a new one");
            }
            return token;
        }
        Path key = root.resolve("join.key");
        if (!Files.exists(key)) {
            throw new IOException("neither " + file + " nor " + key
                    + " is there to join the mesh with; start `bodyguard run --state " + root + "` first");
        }
        var token = JoinKey.read(key).mint(namespace, account);
        PrivateFiles.writeNew(file, (token.text() + "\n").getBytes(StandardCharsets.UTF_8));
        return token;
    }

    private static boolean isFor(JoinToken token, String namespace, String account) {
        String who = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((namespace + "/" + account).getBytes(StandardCharsets.UTF_8));
        return token.text().startsWith("bg1." + who + ".");
    }

    /// What `sidecar.json` tells whoever started us.
    record Running(long pid, long childPid, String outbound, String inbound, String admin, String spiffeId) {
        String json() {
            return "{\"pid\":" + pid + ",\"childPid\":" + childPid + ",\"outbound\":\"" + outbound
                    + "\",\"inbound\":\"" + inbound + "\",\"admin\":\"" + admin + "\",\"metrics\":\"http://" + admin
                    + "/metrics\",\"spiffeId\":\"" + spiffeId + "\"}\n";
        }
    }

    void announce(String workload, Running running) throws IOException {
        PrivateFiles.write(announcement(workload), running.json().getBytes(StandardCharsets.UTF_8));
    }

    /// The other process that has announced itself as this workload's sidecar and still runs.
    Optional<Long> otherSidecar(String workload) {
        return former(workload).filter(Former::runs).map(Former::pid);
    }

    /// A workload's folder holds one identity's key.
    ///
    /// @throws IOException where a sidecar that runs has it for another service account
    void requireFree(String workload, String namespace, String account) throws IOException {
        var other = former(workload).filter(Former::runs);
        if (other.isPresent() && !other.get().spiffeId().endsWith("/ns/" + namespace + "/sa/" + account)) {
            throw new IOException(
                    "the name " + workload + " is taken: pid " + other.get().pid() + " runs under it as "
                            + other.get().spiffeId() + "; end that one, or choose another --name");
        }
    }

    /// The app that a former sidecar of this workload left behind when it was killed, if it still runs: it holds the
    /// app's port, and its proxy is gone.
    Optional<ProcessHandle> orphan(String workload) {
        var former = former(workload);
        if (former.isEmpty() || former.get().child <= 0 || former.get().runs()) {
            return Optional.empty();
        }
        return process(former.get().child, former.get().written)
                .filter(process -> process.parent()
                        .map(parent -> parent.pid() != ProcessHandle.current().pid())
                        .orElse(true));
    }

    private Path announcement(String workload) throws IOException {
        return workload(workload).resolve("sidecar.json");
    }

    /// Whoever announced itself last.
    private Optional<Former> former(String workload) {
        Path file = root.resolve("sidecars").resolve(workload).resolve("sidecar.json");
        try {
            var fields = fields(Files.readString(file));
            return Optional.of(new Former(
                    number(fields.get("pid")),
                    number(fields.get("childPid")),
                    fields.getOrDefault("spiffeId", ""),
                    Files.getLastModifiedTime(file).toInstant()));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    private record Former(long pid, long child, String spiffeId, Instant written) {
        /// As another process than this one.
        boolean runs() {
            return pid > 0
                    && pid != ProcessHandle.current().pid()
                    && process(pid, written).isPresent();
        }
    }

    /// A process that began after it was written about is somebody else's, under a number used again.
    private static Optional<ProcessHandle> process(long pid, Instant written) {
        return ProcessHandle.of(pid)
                .filter(ProcessHandle::isAlive)
                .filter(process -> process.info()
                        .startInstant()
                        .map(start -> start.isBefore(written))
                        .orElse(false));
    }

    private static long number(@Nullable String text) {
        return text == null || text.isEmpty() ? -1 : Long.parseLong(text);
    }

    /// The fields of a flat JSON object; ours are flat.
    private static Map<String, String> fields(String json) {
        var fields = new LinkedHashMap<String, String>();
        var match = FIELD.matcher(json);
        while (match.find()) {
            fields.put(match.group(1), match.group(2) == null ? match.group(3) : match.group(2));
        }
        return fields;
    }
}
