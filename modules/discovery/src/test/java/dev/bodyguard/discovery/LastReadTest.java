package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LastReadTest {
    @TempDir
    Path state;

    private final Diary diary = new Diary();

    @Test
    void keepsOneTextAFileForWhoeverComesNext() throws Exception {
        open().keep(Map.of("deep/a.yaml", bytes("a"), "b.yaml", bytes("b")));

        assertThat(open().texts().get("deep/a.yaml")).isEqualTo(bytes("a"));
        assertThat(open().texts().get("b.yaml")).isEqualTo(bytes("b"));
        assertThat(open().texts()).doesNotContainKey("c.yaml");
        try (var files = Files.list(state.resolve("last-read"))) {
            assertThat(files)
                    .hasSize(2)
                    .allSatisfy(file -> assertThat(Files.getPosixFilePermissions(file))
                            .isEqualTo(PosixFilePermissions.fromString("rw-------")));
        }
    }

    @Test
    void forgetsWhatIsWantedNoMore() {
        open().keep(Map.of("a.yaml", bytes("a"), "b.yaml", bytes("b")));

        open().keep(Map.of("b.yaml", bytes("b")));
        assertThat(open().texts()).doesNotContainKey("a.yaml");
        assertThat(open().texts().get("b.yaml")).isEqualTo(bytes("b"));

        open().keep(Map.of());
        assertThat(open().texts()).doesNotContainKey("b.yaml");
    }

    @Test
    void keepsWhatThereIsRoomFor() {
        byte[] large = new byte[64 << 20];
        Arrays.fill(large, (byte) '#');

        open().keep(Map.of("large.yaml", large, "small.yaml", bytes("small")));

        assertThat(open().texts()).doesNotContainKey("large.yaml");
        assertThat(open().texts().get("small.yaml")).isEqualTo(bytes("small"));
    }

    @Test
    void tellsThatItCannotKeep() throws Exception {
        Files.createFile(state.resolve("last-read"));

        var open = open();
        open.keep(Map.of("a.yaml", bytes("a")));
        open.keep(Map.of("a.yaml", bytes("a")));

        assertThat(diary.readTo("last read failed")).hasSize(1);

        Files.delete(state.resolve("last-read"));
        open.keep(Map.of("a.yaml", bytes("a")));

        assertThat(open().texts().get("a.yaml")).isEqualTo(bytes("a"));
    }

    @Test
    void writesOnlyWhatIsNew() throws Exception {
        open().keep(Map.of("a.yaml", bytes("a"), "b.yaml", bytes("b")));
        var before = keys();

        var open = open();
        open.keep(Map.of("a.yaml", bytes("a"), "b.yaml", bytes("b")));
        assertThat(keys()).isEqualTo(before);

        open.keep(Map.of("a.yaml", bytes("a"), "b.yaml", bytes("c")));
        assertThat(keys()).filteredOn(before::contains).hasSize(1);
        assertThat(open().texts().get("b.yaml")).isEqualTo(bytes("c"));
    }

    @Test
    void knowsNothingOfAnotherDirectory() {
        open().keep(Map.of("a.yaml", bytes("a")));

        assertThat(new LastRead(state.resolve("last-read"), state.resolve("other"), diary).texts())
                .isEmpty();
    }

    /// What tells whether a file is the one that was there before.
    private Set<Object> keys() throws IOException {
        var keys = new HashSet<>();
        try (var files = Files.newDirectoryStream(state.resolve("last-read"))) {
            for (var file : files) {
                keys.add(Files.readAttributes(file, BasicFileAttributes.class).fileKey());
            }
        }
        return keys;
    }

    private LastRead open() {
        return new LastRead(state.resolve("last-read"), state.resolve("mesh"), diary);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
