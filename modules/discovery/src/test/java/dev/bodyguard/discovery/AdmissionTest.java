package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import dev.bodyguard.xds.server.Peer;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final Peer PAY = peer("spiffe://cluster.local/ns/default/sa/pay");

    private final Admission admission = new Admission("cluster.local");

    @Test
    void admitsWhoProvesTheNameItGives() {
        assertThat(admission.decide(workload().build(), PAY)).isInstanceOf(Admission.Admitted.class);
    }

    @Test
    void refusesAnotherServicesCertificate() {
        assertThat(admission.decide(workload().build(), peer("spiffe://cluster.local/ns/default/sa/web")))
                .isEqualTo(new Admission.Refused(
                        Admission.Blame.IDENTITY,
                        "workload default/pay-1 says it is spiffe://cluster.local/ns/default/sa/pay, but its"
                                + " certificate says spiffe://cluster.local/ns/default/sa/web; start its sidecar with"
                                + " the join token of that service account"));
    }

    @Test
    void refusesAnotherTrustDomainAndNoCertificate() {
        assertThat(admission.decide(workload().build(), peer("spiffe://elsewhere/ns/default/sa/pay")))
                .isInstanceOf(Admission.Refused.class);
        assertThat(admission.decide(workload().build(), peer())).isInstanceOf(Admission.Refused.class);
    }

    @Test
    void letsNoServiceAccountStandInForAnotherService() {
        assertThat(admission.decide(workload().setService("checkout").build(), PAY))
                .hasToString("Refused[who=IDENTITY, why=workload default/pay-1 of service account pay may not register"
                        + " for service checkout; only service account checkout may]");
    }

    @Test
    void refusesWhatCannotBeAWorkload() {
        assertThat(why(workload().setName("../../etc"))).contains("name: must be lower-case letters");
        assertThat(why(workload().setName("a\nb"))).contains("was 'a?b'");
        assertThat(why(workload().setAddress("example.com"))).contains("address: must be an IP address");
        assertThat(why(workload().putPorts(8080, 70_000))).contains("ports: must be 1 to 65535, was 8080: 70000");
        assertThat(why(workload().putLabels("k", "v".repeat(257)))).contains("at most 256 characters");
        var many = workload();
        for (int i = 0; i < 65; i++) {
            many.putLabels("label" + i, "v");
        }
        assertThat(why(many)).contains("labels: must be 64 or fewer, were 65");
    }

    private String why(Workload.Builder workload) {
        return admission.decide(workload.build(), PAY).toString();
    }

    private static Peer peer(String... uris) {
        return new Peer(List.of(uris), "127.0.0.1:1");
    }

    private static Workload.Builder workload() {
        return Workload.newBuilder()
                .setNamespace("default")
                .setName("pay-1")
                .setService("pay")
                .setServiceAccount("pay")
                .setAddress("127.0.0.1")
                .putPorts(8080, 9090)
                .setMeshed(true);
    }
}
