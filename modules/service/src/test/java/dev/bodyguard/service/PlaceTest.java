package dev.bodyguard.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlaceTest {
    @Test
    void theAdminPortIsTheUsualOnePlusTen() {
        var keys = new Keys(Map.of("BODYGUARD_XDS_PORT", "7"));

        assertThat(Place.from(keys, "BODYGUARD_XDS_PORT", 15_012))
                .isEqualTo(new Place("127.0.0.1", "BODYGUARD_XDS_PORT", 7, 15_022));
        assertThat(keys.asked())
                .containsExactlyInAnyOrder("BODYGUARD_HOST", "BODYGUARD_XDS_PORT", "BODYGUARD_ADMIN_PORT");
    }

    @Test
    void eitherPortThatIsTakenIsToldWithItsKey() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(
                            () -> new Place("127.0.0.1", "BODYGUARD_XDS_PORT", taken.getLocalPort(), 0).requireFree())
                    .hasMessageContaining("(BODYGUARD_XDS_PORT) is in use by ");
            assertThatThrownBy(
                            () -> new Place("127.0.0.1", "BODYGUARD_XDS_PORT", 0, taken.getLocalPort()).requireFree())
                    .hasMessageContaining("(BODYGUARD_ADMIN_PORT) is in use by ");
        }
    }

    @Test
    void saysWhereItReallyIs() throws IOException {
        var place = new Place("127.0.0.1", "BODYGUARD_XDS_PORT", 0, 0);
        try (var admin = place.admin(new Admin.Answers(Optional::empty, () -> "", Map.of()))) {
            assertThat(place.told("xds", 15_012, admin))
                    .isEqualTo("xds 127.0.0.1:15012, admin 127.0.0.1:" + admin.port());
            assertThat(new Place("::", "BODYGUARD_XDS_PORT", 0, 0).told("xds", 15_012, admin))
                    .isEqualTo("xds [::]:15012, admin [::]:" + admin.port());
        }
    }
}
