package dev.bodyguard.xds.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

class NamedResourceTest {
    private static Value text(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }

    @Test
    void equalContentHasOneVersionInWhateverOrderItWasPut() {
        var one = Struct.newBuilder().putFields("a", text("1")).putFields("b", text("2"));
        var other = Struct.newBuilder().putFields("b", text("2")).putFields("a", text("1"));

        assertThat(NamedResource.of("r", one.build())).isEqualTo(NamedResource.of("r", other.build()));
    }

    @Test
    void otherContentAndOtherAliasesHaveOtherVersions() {
        var message = Struct.newBuilder().putFields("a", text("1")).build();
        var version = NamedResource.of("r", message).version();

        assertThat(NamedResource.of("r", message, "alias").version()).isNotEqualTo(version);
        assertThat(NamedResource.of("r", Struct.getDefaultInstance()).version()).isNotEqualTo(version);
    }

    @Test
    void carriesTheTypeUrlOfItsMessage() {
        assertThat(NamedResource.of("r", Struct.getDefaultInstance()).typeUrl())
                .isEqualTo("type.googleapis.com/google.protobuf.Struct");
    }

    @Test
    void hasANameThatNoSubscriptionCanMistakeForAWildcard() {
        assertThatThrownBy(() -> NamedResource.of("*", Struct.getDefaultInstance()))
                .hasMessage("a resource's name must be neither empty nor '*', was '*'");
    }

    @Test
    void twoOfOneNameAreRefused() {
        var twice = NamedResource.of("r", Struct.getDefaultInstance());

        assertThatThrownBy(() -> Snapshot.of("g", List.of(twice, twice)))
                .hasMessage("two resources named r of type type.googleapis.com/google.protobuf.Struct in generation g");
    }
}
