package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.InboundRule.Certificate;
import dev.bodyguard.proxy.wire.AppTls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Certificates of the app's own, by the names that configuration has for them: `kubernetes://NAME` is the Secret that
/// whoever injected the sidecar mounted, `file-cert:CHAIN~KEY` are files of this container. Read when a plan first
/// needs
/// them and every ten seconds, so that a renewed one is in use soon; the last good one stays where a new one is broken.
final class Certificates {
    private static final Duration LOOK = Duration.ofSeconds(10);
    private static final int LONGEST = 256 << 10;

    private final Path folder;
    private final Consumer<String> log;
    private final Map<Certificate, Held> held = new ConcurrentHashMap<>();

    /// @param folder of the mounted Secrets, each in one of its name: `tls.crt`, `tls.key`, `ca.crt`
    /// @param log takes a sentence
    Certificates(Path folder, Consumer<String> log) {
        this.folder = folder;
        this.log = log;
    }

    /// @param digest of what was read
    /// @param tls null where nothing that was read could be used
    /// @param sentence why not, empty where it can
    private record Held(String digest, @Nullable AppTls tls, String sentence) {}

    /// What a certificate's name leads to now.
    sealed interface Found {
        record Ready(AppTls tls) implements Found {}

        /// To nothing of use.
        ///
        /// @param sentence why
        record Missing(String sentence) implements Found {}
    }

    /// From any loop.
    Found of(Certificate certificate) {
        var now = held.get(certificate);
        if (now == null) {
            return new Found.Missing("certificate " + certificate.name() + " has not been read yet");
        }
        return now.tls() == null ? new Found.Missing(now.sentence()) : new Found.Ready(now.tls());
    }

    /// Has these from now on, and no others.
    void keep(Set<Certificate> wanted) {
        held.keySet().retainAll(wanted);
        wanted.stream().filter(one -> !held.containsKey(one)).forEach(this::read);
    }

    /// Looks at the files from now on, on a thread of its own that ends with the process.
    void watch() {
        Thread.ofPlatform().daemon(true).name("certificates").start(() -> {
            try {
                while (true) {
                    Thread.sleep(LOOK);
                    look();
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
    }

    void look() {
        held.keySet().forEach(this::read);
    }

    private void read(Certificate certificate) {
        var before = held.get(certificate);
        try {
            var chain = text(certificate.name(), "tls.crt", 0);
            var key = text(certificate.name(), "tls.key", 1);
            var clients = certificate.clients();
            var roots = clients == null ? null : text(clients, "ca.crt", 0);
            var digest = digest(chain + "\n" + key + "\n" + roots);
            if (before != null && before.digest().equals(digest)) {
                return;
            }
            var tls = AppTls.of(chain, key, roots);
            held.put(certificate, new Held(digest, tls, ""));
            log.accept("certificate " + certificate.name() + (before == null ? " read" : " read anew"));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException unusable) {
            var sentence = "certificate " + certificate.name() + " cannot be used: " + unusable
                    + (unusable instanceof NoSuchFileException
                            ? "; is bodyguard.dev/certificates set on the pod, and the Secret of type kubernetes.io/tls?"
                            : "");
            if (before == null || !before.sentence().equals(sentence)) {
                log.accept(sentence);
            }
            held.put(
                    certificate,
                    new Held(before == null ? "" : before.digest(), before == null ? null : before.tls(), sentence));
        }
    }

    /// @param which of several files that the name holds
    private String text(String name, String file, int which) throws IOException {
        return BoundedFile.text(place(name, file, which), LONGEST);
    }

    private Path place(String name, String file, int which) {
        if (name.startsWith("kubernetes://")) {
            var secret = name.substring("kubernetes://".length());
            if (file.equals("ca.crt")) {
                // As Istio calls it where the roots are apart.
                secret = secret.replaceFirst("-cacert$", "");
            }
            if (!secret.matches("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")) {
                throw new IllegalArgumentException("its name is not a Secret's");
            }
            return folder.resolve(secret).resolve(file);
        }
        if (name.startsWith("file-cert:")) {
            var files = name.substring("file-cert:".length()).split("~", 2);
            if (files.length == 2) {
                return Path.of(files[which]);
            }
        }
        if (name.startsWith("file-root:")) {
            return Path.of(name.substring("file-root:".length()));
        }
        throw new IllegalArgumentException("its name is not known here");
    }

    private static String digest(String text) throws GeneralSecurityException {
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }
}
