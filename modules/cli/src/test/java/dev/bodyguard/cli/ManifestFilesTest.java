package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.bodyguard.injector.decision.Defaults;
import dev.bodyguard.injector.decision.Injection;
import dev.bodyguard.injector.decision.Manifests;
import dev.bodyguard.injector.decision.Sidecar;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestFilesTest {
    private static final String POD = """
        apiVersion: v1
        kind: Pod
        metadata:
          name: %s
        spec:
          containers:
          - name: app
            image: shop/app:1
        """;
    private static final Injection INJECTION = new Injection(
            new Sidecar("bodyguard", "1.0.0", "default", "cluster.local", Sidecar.Shape.NATIVE, Defaults.USUAL));

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path folder;

    @Test
    void aFolderBecomesOneStreamOfDocuments() throws IOException {
        Files.writeString(folder.resolve("b.yaml"), POD.formatted("second").stripTrailing());
        Files.writeString(folder.resolve("a.yml"), POD.formatted("first").stripTrailing());
        Files.writeString(folder.resolve("notes.txt"), "not a manifest");

        assertThat(inject("", folder.toString())).isZero();

        assertThat(text(err)).isEqualTo("pod \"first\" injected\npod \"second\" injected\n");
        assertThat(text(out).split("(?m)^---$", -1)).hasSize(2).allMatch(one -> one.contains("bodyguard-proxy"));
    }

    @Test
    void standardInputComesBackAsItWas() {
        var given = "# mine\r\n" + POD.formatted("one").replace("\n", "\r\n");

        assertThat(inject(given, "-")).isZero();
        var injected = text(out);
        out.reset();
        int status = rewrite(injected, Manifests::uninject, "-");

        assertThat(status).isZero();
        assertThat(injected).contains("bodyguard-init").isNotEqualTo(given);
        assertThat(text(out)).isEqualTo(given);
        assertThat(text(err)).endsWith("pod \"one\" uninjected\n");
    }

    @Test
    void nothingIsWrittenWhereOneIsRefused() {
        var given =
                POD.formatted("good") + "---\n" + POD.formatted("bad").replace("spec:", "spec:\n  hostNetwork: true");

        assertThat(inject(given, "-")).isEqualTo(1);

        assertThat(text(out)).isEmpty();
        assertThat(text(err))
                .contains("pod \"bad\" refused: hostNetwork: ")
                .endsWith("bodyguard: nothing was written, since some were refused\n");
    }

    @Test
    void whatCannotBeReadIsOneSentence() throws IOException {
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> inject("", folder.toString()))
                .withMessage(folder + ": no file in it ends with .yaml, .yml or .json");
        var latin = Files.write(folder.resolve("latin.yaml"), new byte[] {'a', ':', (byte) 0xe4});
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> inject("", latin.toString()))
                .withMessage(latin + ": is not UTF-8; convert it first, such as with iconv");
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> inject("", folder.resolve("none.yaml").toString()))
                .withMessageStartingWith(folder.resolve("none.yaml") + ": cannot be read: ");
    }

    private int inject(String in, String... names) {
        return rewrite(in, (name, text) -> Manifests.inject(name, text, INJECTION), names);
    }

    private int rewrite(
            String in, java.util.function.BiFunction<String, String, Manifests.Result> work, String... names) {
        return ManifestFiles.rewrite(
                List.of(names),
                new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                work);
    }

    private static String text(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8);
    }
}
