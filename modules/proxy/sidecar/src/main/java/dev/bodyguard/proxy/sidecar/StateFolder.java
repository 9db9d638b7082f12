package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// The folder on one machine where a control plane and its sidecars find each other.
///
/// Whoever can read `join.key` may mint join tokens: that is the same user as the control plane's.
record StateFolder(Path root) {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\"\\s*:\\s*(?:\"([^\"\\\\]*)\"|(-?\\d+))");
    private static final FileAttribute<Set<PosixFilePermission>> FOLDER_OF_OURS =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> FILE_OF_OURS =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    /// Where the control plane's services listen now.
    record ControlPlane(InetSocketAddress identity, InetSocketAddress xds, InetSocketAddress discovery) {}

    /// Reads `control-plane.json`; empty while there is none, or it is being replaced.
    Optional<ControlPlane> controlPlane() {
        Map<String, String> fields;
        try {
            fields = fields(Files.readString(root.resolve("control-plane.json")));
        } catch (IOException _) {
            return Optional.empty();
        }
        return address(fields.get("identity"))
                .flatMap(identity -> address(fields.get("xds"))
                        .flatMap(xds -> address(fields.get("discovery"))
                                .map(discovery -> new ControlPlane(identity, xds, discovery))));
    }

    Path rootCertificates() {
        return root.resolve("root.pem");
    }

    /// This workload's own folder, made where it is missing.
    Path workload(String name) throws IOException {
        return Files.createDirectories(root.resolve("sidecars").resolve(name), FOLDER_OF_OURS);
    }

    /// The token that lets a service account join; minted from `join.key` where nobody left one.
    String joinToken(String namespace, String account) throws IOException {
        Path file = root.resolve("join").resolve(account + ".token");
        try {
            String token = Files.readString(file).strip();
            if (isFor(token, namespace, account)) {
                return token;
            }
        } catch (NoSuchFileException _) {
            // Minted below.
        }
        byte[] key;
        try {
            key = Files.readAllBytes(root.resolve("join.key"));
        } catch (NoSuchFileException _) {
            throw new IOException("neither " + file + " nor " + root.resolve("join.key")
                    + " is there to join the mesh with; start `bodyguard run --state " + root + "` first");
        }
        String token = mint(key, namespace, account);
        try {
            Files.createDirectories(root.resolve("join"), FOLDER_OF_OURS);
            write(file, token + "\n", false);
        } catch (FileAlreadyExistsException _) {
            // Another one's file under the same name, of another namespace: this token stays in memory.
        }
        return token;
    }

    private static boolean isFor(String token, String namespace, String account) {
        return token.startsWith("bg1." + encoded(namespace + "/" + account) + ".");
    }

    static String mint(byte[] key, String namespace, String account) {
        String claim = "bg1." + encoded(namespace + "/" + account);
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return claim + "."
                    + Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(mac.doFinal(claim.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("every Java runtime has HmacSHA256", impossible);
        }
    }

    private static String encoded(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
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
        write(workload(workload).resolve("sidecar.json"), running.json(), true);
    }

    /// The app that a former sidecar of this workload left behind when it was killed, if it still runs: it holds the
    /// app's port, and its proxy is gone.
    Optional<ProcessHandle> orphan(String workload) {
        Path file = root.resolve("sidecars").resolve(workload).resolve("sidecar.json");
        Map<String, String> former;
        Instant written;
        try {
            former = fields(Files.readString(file));
            written = Files.getLastModifiedTime(file).toInstant();
        } catch (IOException _) {
            return Optional.empty();
        }
        long pid = number(former.get("pid"));
        long child = number(former.get("childPid"));
        if (child <= 0 || (pid > 0 && pid != ProcessHandle.current().pid() && isAlive(pid))) {
            return Optional.empty();
        }
        // A process that began after the file was written is somebody else's, under a number used again.
        return ProcessHandle.of(child)
                .filter(ProcessHandle::isAlive)
                .filter(process -> process.info()
                        .startInstant()
                        .map(start -> start.isBefore(written))
                        .orElse(false))
                .filter(process -> process.parent()
                        .map(parent -> parent.pid() != ProcessHandle.current().pid())
                        .orElse(true));
    }

    private static boolean isAlive(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
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

    private static Optional<InetSocketAddress> address(@Nullable String hostAndPort) {
        int colon = hostAndPort == null ? -1 : hostAndPort.lastIndexOf(':');
        if (hostAndPort == null || colon < 1) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetSocketAddress.createUnresolved(
                    hostAndPort.substring(0, colon), Integer.parseInt(hostAndPort.substring(colon + 1))));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    private static void write(Path file, String text, boolean replace) throws IOException {
        Path temporary =
                Files.createTempFile(file.getParent(), file.getFileName().toString(), ".new", FILE_OF_OURS);
        try {
            Files.writeString(temporary, text, StandardOpenOption.TRUNCATE_EXISTING);
            if (replace) {
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.createLink(file, temporary);
            }
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
