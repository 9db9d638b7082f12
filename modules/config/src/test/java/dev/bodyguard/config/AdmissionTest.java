package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.xds.server.Peer;
import io.envoyproxy.envoy.config.core.v3.Node;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final String PAY = "spiffe://cluster.local/ns/default/sa/pay";

    private final Admission admission = new Admission("cluster.local");

    @Test
    void whoeverProvesWhatItsNodeSaysIsAdmitted() {
        assertThat(admission.decide(node("default", "pay"), peer(PAY))).isInstanceOf(Admission.Admitted.class);
    }

    @Test
    void anotherAccountNamespaceOrTrustDomainIsRefused() {
        for (String other : List.of(
                "spiffe://cluster.local/ns/default/sa/checkout",
                "spiffe://cluster.local/ns/shop/sa/pay",
                "spiffe://elsewhere/ns/default/sa/pay")) {
            assertThat(admission.decide(node("default", "pay"), peer(other)))
                    .isEqualTo(new Admission.Refused("the node says it is " + PAY
                            + " (its NAMESPACE and SERVICE_ACCOUNT), but its certificate says " + other));
        }
    }

    @Test
    void severalNamesAreNoName() {
        assertThat(admission.decide(node("default", "pay"), peer(PAY, "spiffe://cluster.local/ns/default/sa/checkout")))
                .isInstanceOf(Admission.Refused.class);
    }

    @Test
    void noCertificateIsRefused() {
        assertThat(admission.decide(node("default", "pay"), peer()))
                .isEqualTo(new Admission.Refused("the node says it is " + PAY
                        + " (its NAMESPACE and SERVICE_ACCOUNT), but its certificate says nothing"));
    }

    @Test
    void aNodeThatSaysNothingIsRefused() {
        assertThat(admission.decide(Node.getDefaultInstance(), peer(PAY))).isInstanceOf(Admission.Refused.class);
    }

    private static Peer peer(String... uris) {
        return new Peer(List.of(uris), "/127.0.0.1:40000");
    }

    private static Node node(String namespace, String account) {
        return Node.newBuilder()
                .setId("sidecar~127.0.0.1~pay-1." + namespace + "~" + namespace + ".svc.cluster.local")
                .setCluster("pay")
                .setMetadata(Struct.newBuilder()
                        .putFields("NAME", text("pay-1"))
                        .putFields("NAMESPACE", text(namespace))
                        .putFields("SERVICE", text("pay"))
                        .putFields("SERVICE_ACCOUNT", text(account))
                        .putFields("APP_PORTS", text("8080")))
                .build();
    }

    private static Value text(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }
}
