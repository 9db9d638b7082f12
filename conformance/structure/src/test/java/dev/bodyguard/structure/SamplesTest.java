package dev.bodyguard.structure;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// What the samples' own pages say of them.
class SamplesTest {
    @Test
    void eachEmbeddedSampleIsUnderFortyLines() {
        var mains = Sources.java().stream()
                .filter(file -> file.startsWith(Sources.ROOT.resolve("samples/embedded")))
                .filter(file -> Sources.read(file).contains("static void main("))
                .toList();

        assertThat(mains)
                .hasSize(3)
                .allSatisfy(file -> assertThat(Sources.read(file).lines().count())
                        .as(file.toString())
                        .isLessThan(40));
    }
}
