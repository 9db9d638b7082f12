package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LastReadTest {
    @TempDir
    Path state;

    private final Diary diary = new Diary();

    @Test
    void keepsOneTextAFileForWhoeverComesNext() throws Exception {
        open().keep(Map.of("deep/a.yaml", bytes("a"), "b.yaml", bytes("b")));

        assertThat(open().text("deep/a.yaml")).isEqualTo(bytes("a"));
        assertThat(open().text("b.yaml")).isEqualTo(bytes("b"));
        assertThat(open().text("c.yaml")).isNull();
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
        assertThat(open().text("a.yaml")).isNull();
        assertThat(open().text("b.yaml")).isEqualTo(bytes("b"));

        open().keep(Map.of());
        assertThat(open().text("b.yaml")).isNull();
    }

    @Test
    void keepsWhatThereIsRoomFor() {
        byte[] large = new byte[16 << 20];
        Arrays.fill(large, (byte) '#');

        open().keep(Map.of("large.yaml", large, "small.yaml", bytes("small")));

        assertThat(open().text("large.yaml")).isNull();
        assertThat(open().text("small.yaml")).isEqualTo(bytes("small"));
    }

    @Test
    void tellsThatItCannotKeep() throws Exception {
        Files.createFile(state.resolve("last-read"));

        open().keep(Map.of("a.yaml", bytes("a")));

        assertThat(diary.readTo("last read failed")).hasSize(1);
    }

    private LastRead open() {
        return new LastRead(state.resolve("last-read"), diary);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
