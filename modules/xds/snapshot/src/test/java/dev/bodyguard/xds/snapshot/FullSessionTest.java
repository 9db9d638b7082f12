package dev.bodyguard.xds.snapshot;

import static dev.bodyguard.xds.snapshot.Transcript.complaint;
import static dev.bodyguard.xds.snapshot.Transcript.resource;
import static dev.bodyguard.xds.snapshot.TypeUrls.CLUSTER;
import static dev.bodyguard.xds.snapshot.TypeUrls.ENDPOINTS;
import static dev.bodyguard.xds.snapshot.TypeUrls.LISTENER;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.StringValue;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

class FullSessionTest {
    private static Snapshot generation(String name, NamedResource... resources) {
        return Snapshot.of(name, List.of(resources));
    }

    private static DiscoveryRequest.Builder request(String typeUrl, String nonce, String... names) {
        return DiscoveryRequest.newBuilder()
                .setTypeUrl(typeUrl)
                .setResponseNonce(nonce)
                .addAllResourceNames(List.of(names));
    }

    /// Each response as `Type #nonce texts`.
    private static List<String> told(Reaction<DiscoveryResponse> reaction) {
        return ((Reaction.Answer<DiscoveryResponse>) reaction)
                .send().stream().map(FullSessionTest::text).toList();
    }

    private static String text(DiscoveryResponse response) {
        var text = new StringBuilder(response.getTypeUrl()
                        .substring(response.getTypeUrl().lastIndexOf('.') + 1) + " #" + response.getNonce());
        for (var body : response.getResourcesList()) {
            try {
                text.append(' ').append(StringValue.parseFrom(body.getValue()).getValue());
            } catch (InvalidProtocolBufferException unreadable) {
                throw new IllegalStateException(unreadable);
            }
        }
        return text.toString();
    }

    @Test
    void sendsAllThatIsSubscribedEachTimeAnyOfItChanges() {
        var session = new FullSession(
                generation("g1", resource(ENDPOINTS, "a", "a1"), resource(ENDPOINTS, "b", "b1")), Limits.ordinary());

        assertThat(told(session.hear(request(ENDPOINTS, "", "a", "b").build())))
                .containsExactly("ClusterLoadAssignment #1 a1 b1");
        assertThat(told(session.hear(request(ENDPOINTS, "1", "a", "b").build())))
                .isEmpty();
        assertThat(told(session.offer(
                        generation("g2", resource(ENDPOINTS, "a", "a1"), resource(ENDPOINTS, "b", "b1")))))
                .isEmpty();
        assertThat(told(session.offer(
                        generation("g3", resource(ENDPOINTS, "a", "a1"), resource(ENDPOINTS, "b", "b2")))))
                .containsExactly("ClusterLoadAssignment #2 a1 b2");
        assertThat(session.settled()).isFalse();
        assertThat(session.inForce(ENDPOINTS)).containsEntry("b", "vb1");
        assertThat(told(session.hear(request(ENDPOINTS, "2", "a", "b").build())))
                .isEmpty();
        assertThat(session.inForce(ENDPOINTS)).containsEntry("b", "vb2");
        assertThat(session.settled()).isTrue();
    }

    @Test
    void answersANewNameButNotAnAcknowledgementOfAnOlderResponse() {
        var session = new FullSession(
                generation("g1", resource(ENDPOINTS, "a", "a1"), resource(ENDPOINTS, "b", "b1")), Limits.ordinary());
        session.hear(request(ENDPOINTS, "", "a").build());
        session.offer(generation("g2", resource(ENDPOINTS, "a", "a2"), resource(ENDPOINTS, "b", "b1")));

        assertThat(told(session.hear(request(ENDPOINTS, "1", "a", "b").build())))
                .isEmpty();
        assertThat(told(session.hear(request(ENDPOINTS, "2", "a", "b").build())))
                .containsExactly("ClusterLoadAssignment #3 a2 b1");
        assertThat(told(session.hear(request(ENDPOINTS, "3", "b").build()))).isEmpty();
        assertThat(told(session.offer(
                        generation("g3", resource(ENDPOINTS, "a", "a3"), resource(ENDPOINTS, "b", "b1")))))
                .containsExactly("ClusterLoadAssignment #4 b1");
    }

    @Test
    void deletesClustersOnlyAfterWhatNeedsThemWasTold() {
        var session = new FullSession(
                generation("g1", resource(CLUSTER, "old", "old"), resource(LISTENER, "l", "l1")), Limits.ordinary());
        session.hear(request(CLUSTER, "").build());
        session.hear(request(LISTENER, "").build());

        assertThat(told(session.offer(
                        generation("g2", resource(CLUSTER, "new", "new"), resource(LISTENER, "l", "l2")))))
                .containsExactly("Cluster #3 new old", "Listener #4 l2", "Cluster #5 new");
    }

    @Test
    void tellsTheEndpointsAgainWhenAClusterOfTheirsChanged() {
        var session = new FullSession(
                generation("g1", resource(CLUSTER, "a", "a1"), resource(ENDPOINTS, "a", "e1")), Limits.ordinary());
        session.hear(request(CLUSTER, "").build());
        session.hear(request(ENDPOINTS, "", "a").build());

        assertThat(told(session.offer(generation("g2", resource(CLUSTER, "a", "a2"), resource(ENDPOINTS, "a", "e1")))))
                .containsExactly("Cluster #3 a2", "ClusterLoadAssignment #4 e1");
        assertThat(told(session.offer(generation("g3", resource(CLUSTER, "a", "a2"), resource(ENDPOINTS, "a", "e1")))))
                .isEmpty();
    }

    @Test
    void aRefusedResponseIsNotSentAgainAndNotInForce() {
        var session = new FullSession(generation("g1", resource(CLUSTER, "a", "a1")), Limits.ordinary());
        session.hear(request(CLUSTER, "").build());
        session.hear(request(CLUSTER, "1").build());
        session.offer(generation("g2", resource(CLUSTER, "a", "a2")));

        var reaction = session.hear(
                request(CLUSTER, "2").setErrorDetail(complaint("will not")).build());

        assertThat(reaction)
                .isEqualTo(new Reaction.Answer<DiscoveryResponse>(
                        List.of(), List.of(new Heard.Nacked(CLUSTER, "g2", List.of("a"), "will not"))));
        assertThat(session.inForce(CLUSTER)).containsEntry("a", "va1");
        assertThat(session.refused(CLUSTER)).containsEntry("a", "will not");
    }

    @Test
    void namingNothingMeansEverythingUntilSomethingWasNamed() {
        var session = new FullSession(
                generation("g1", resource(CLUSTER, "a", "a1"), resource(CLUSTER, "b", "b1")), Limits.ordinary());

        assertThat(told(session.hear(request(CLUSTER, "").build()))).containsExactly("Cluster #1 a1 b1");
        assertThat(told(session.hear(request(CLUSTER, "1").build()))).isEmpty();
        assertThat(told(session.hear(request(CLUSTER, "1", "a").build()))).containsExactly("Cluster #2 a1");
        assertThat(told(session.hear(request(CLUSTER, "2").build()))).isEmpty();
        assertThat(told(session.offer(generation("g2", resource(CLUSTER, "b", "b2")))))
                .containsExactly("Cluster #3");
    }

    @Test
    void refusesAClientThatNeverAnswersWhatItAsksForAgainAndAgain() {
        var session = new FullSession(
                generation("g1", resource(ENDPOINTS, "a", "a1"), resource(ENDPOINTS, "b", "b1")), Limits.ordinary());
        Reaction<DiscoveryResponse> last =
                session.hear(request(ENDPOINTS, "", "a").build());
        for (var i = 0; i < 1_000; i++) {
            last = session.hear(request(ENDPOINTS, "", i % 2 == 0 ? "b" : "a").build());
        }

        assertThat(last)
                .isEqualTo(new Reaction.Refusal<>(
                        "the client left 1000 responses of " + ENDPOINTS + " without ACK or NACK"));
        assertThat(session.weight()).isGreaterThan(64_000);
    }

    @Test
    void aRefusalIsForgottenWithTheNameThatItIsAbout() {
        var session = new FullSession(
                generation("g1", resource(ENDPOINTS, "a", "a1"), resource(ENDPOINTS, "b", "b1")), Limits.ordinary());
        session.hear(request(ENDPOINTS, "", "a").build());
        session.hear(
                request(ENDPOINTS, "1", "b").setErrorDetail(complaint("no a")).build());

        session.hear(
                request(ENDPOINTS, "2", "b").setErrorDetail(complaint("no b")).build());

        assertThat(session.refused(ENDPOINTS)).containsOnlyKeys("b");
    }
}
