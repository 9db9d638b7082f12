package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.RootFolder;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.Pem;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SvidFolderTest {
    private static final SpiffeId CHECKOUT = SpiffeId.ofServiceAccount("cluster.local", "default", "checkout");

    @TempDir
    private Path temporary;

    private Path out;

    @BeforeEach
    void outside() {
        out = temporary.resolve("deeper").resolve("out");
    }

    @Test
    void keyCertificateAndRootsBelongTogether() throws Exception {
        var svid = svid();

        new SvidFolder(out).write(svid);

        assertThat(Pem.privateKey(Pem.parse(read("key.pem")))).isEqualTo(svid.key());
        assertThat(Pem.certificates(Pem.parse(read("cert.pem")))).isEqualTo(svid.chain());
        assertThat(TrustBundle.read("cluster.local", out.resolve("root.pem"))).isEqualTo(svid.bundle());
    }

    @Test
    void envoysSecretsHoldTheSameInOneFileEach() throws Exception {
        var svid = svid();

        new SvidFolder(out).write(svid);

        var own = read("sds-default.yaml");
        assertThat(own)
                .startsWith("resources:\n- \"@type\": type.googleapis.com/")
                .contains("\n  name: default\n");
        var blocks = Pem.parse(own.replaceAll("(?m)^ +", ""));
        assertThat(Pem.privateKey(blocks)).isEqualTo(svid.key());
        assertThat(Pem.certificates(blocks)).isEqualTo(svid.chain());
        var roots = read("sds-rootca.yaml");
        assertThat(roots).contains("\n  name: ROOTCA\n");
        assertThat(Pem.certificates(Pem.parse(roots.replaceAll("(?m)^ +", ""))))
                .isEqualTo(svid.bundle().roots());
    }

    @Test
    void nobodyElseReadsThemAndNothingHalfWrittenStays() throws Exception {
        var folder = new SvidFolder(out);

        folder.write(svid());
        folder.write(svid());

        try (Stream<Path> files = Files.list(out)) {
            assertThat(files)
                    .hasSize(5)
                    .allSatisfy(file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .isEqualTo("rw-------"));
        }
    }

    private Svid svid() throws IOException {
        return svid(temporary.resolve("authority"));
    }

    /// A new one, of the authority in that folder.
    static Svid svid(Path authority) throws IOException {
        return Authority.open(
                        "cluster.local",
                        new RootFolder(authority),
                        Authority.Lifetimes.DAY,
                        _ -> {},
                        InstantSource.system(),
                        new SecureRandom())
                .issue(CHECKOUT, Duration.ZERO, ServerNames.NONE);
    }

    private String read(String name) throws Exception {
        return Files.readString(out.resolve(name));
    }
}
