package dev.bodyguard.identity.spiffe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JoinKeyTest {
    private final JoinKey key = JoinKey.random(new SecureRandom());

    @Test
    void admitsTheServiceAccountThatATokenWasMintedFor() {
        var token = key.mint("default", "checkout");

        assertThat(token.text()).matches("bg1\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{43}");
        assertThat(key.verify(token)).isEqualTo(new JoinKey.Admitted("default", "checkout"));
    }

    @Test
    void refusesATokenWhoseClaimWasExchanged() {
        var mine = key.mint("default", "checkout").text();
        var other = key.mint("default", "payment-service").text();
        var forged = other.substring(0, other.lastIndexOf('.')) + mine.substring(mine.lastIndexOf('.'));

        assertThat(key.verify(new JoinToken(forged))).isInstanceOf(JoinKey.Refused.class);
    }

    @Test
    void refusesATokenOfAnotherMesh() {
        var token = JoinKey.random(new SecureRandom()).mint("default", "checkout");

        assertThat(key.verify(token))
                .isInstanceOfSatisfying(
                        JoinKey.Refused.class,
                        refused -> assertThat(refused.sentence()).contains("not made with this mesh's join key"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "bg1", "bg1.", "bg1..", "bg1.a", "bg1.a.b.c", "bg2.YS9i.x", "bg1.*.*", "\u0000", "bg1.ä.ö"})
    void refusesWhatIsNoToken(String text) {
        assertThat(key.verify(new JoinToken(text))).isInstanceOf(JoinKey.Refused.class);
    }

    @Test
    void refusesATokenThatIsTooLong() {
        assertThat(key.verify(new JoinToken("bg1." + "A".repeat(100_000) + ".A")))
                .isInstanceOf(JoinKey.Refused.class);
    }

    @Test
    void doesNotMintForANameThatReachesIntoAnotherNamespace() {
        assertThatThrownBy(() -> key.mint("default/x", "checkout")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void staysTheSameInItsFileWhichOnlyItsOwnerReads(@TempDir Path folder) throws IOException {
        var file = folder.resolve("state/join.key");

        var made = JoinKey.openOrCreate(file, new SecureRandom());
        var opened = JoinKey.openOrCreate(file, new SecureRandom());

        assertThat(opened.verify(made.mint("a", "b"))).isEqualTo(new JoinKey.Admitted("a", "b"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        try (var files = Files.list(folder.resolve("state"))) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void namesTheFileThatIsNoKey(@TempDir Path folder) throws IOException {
        var file = Files.writeString(folder.resolve("join.key"), "short");

        assertThatThrownBy(() -> JoinKey.read(file)).hasMessageContaining(file.toString());
    }

    @Test
    void keepsSecretsOutOfText() {
        var token = key.mint("default", "checkout");

        assertThat(token.toString()).doesNotContain(token.text());
        assertThat(key).hasToString("join key");
    }
}
