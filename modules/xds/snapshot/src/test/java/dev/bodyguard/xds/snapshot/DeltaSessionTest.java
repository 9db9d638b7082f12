package dev.bodyguard.xds.snapshot;

import static dev.bodyguard.xds.snapshot.Transcript.request;
import static dev.bodyguard.xds.snapshot.Transcript.resource;
import static dev.bodyguard.xds.snapshot.TypeUrls.CLUSTER;
import static dev.bodyguard.xds.snapshot.TypeUrls.DOCUMENT;
import static dev.bodyguard.xds.snapshot.TypeUrls.ENDPOINTS;
import static dev.bodyguard.xds.snapshot.TypeUrls.LISTENER;
import static dev.bodyguard.xds.snapshot.TypeUrls.ROUTES;
import static dev.bodyguard.xds.snapshot.TypeUrls.VIRTUAL_HOST;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.Status;
import io.envoyproxy.envoy.service.discovery.v3.ResourceError;
import io.envoyproxy.envoy.service.discovery.v3.ResourceName;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeltaSessionTest {
    private static Snapshot generation(String name, NamedResource... resources) {
        return Snapshot.of(name, List.of(resources));
    }

    @Test
    void sendsWhatIsSubscribedAndOnlyWhatChanges() {
        new Transcript(generation("g1", resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "1")))
                .subscribe(CLUSTER, "a")
                .acks(CLUSTER, "1")
                .offered(generation("g2", resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "2")))
                .offered(generation("g3", resource(CLUSTER, "a", "2"), resource(CLUSTER, "b", "2")))
                .reads("""
                    > Cluster +a
                    < Cluster #1 a=v1
                    > Cluster ack 1
                    # Cluster acked g1
                    > generation g2
                    > generation g3
                    < Cluster #2 a=v2
                    """);
    }

    @Test
    void tellsTheEndpointsOfAClusterThatChangedAgain() {
        new Transcript(generation(
                        "g1",
                        resource(CLUSTER, "a", "1"),
                        resource(CLUSTER, "b", "1"),
                        resource(ENDPOINTS, "a", "1"),
                        resource(ENDPOINTS, "b", "1")))
                .subscribe(CLUSTER, "*")
                .subscribe(ENDPOINTS, "a", "b")
                .offered(generation(
                        "g2",
                        resource(CLUSTER, "a", "1"),
                        resource(CLUSTER, "b", "2"),
                        resource(ENDPOINTS, "a", "1"),
                        resource(ENDPOINTS, "b", "1")))
                .reads("""
                    > Cluster +*
                    < Cluster #1 a=v1 b=v1
                    > ClusterLoadAssignment +a +b
                    < ClusterLoadAssignment #2 a=v1 b=v1
                    > generation g2
                    < Cluster #3 b=v2
                    < ClusterLoadAssignment #4 b=v1
                    """);
    }

    @Test
    void answersAtOnceThatANameDoesNotExistAndSendsItWhenItDoes() {
        new Transcript(generation("g1"))
                .subscribe(VIRTUAL_HOST, "80/ghost")
                .offered(generation("g2"))
                .offered(generation("g3", resource(VIRTUAL_HOST, "80/ghost", "1")))
                .offered(generation("g4"))
                .offered(generation("g5"))
                .reads("""
                    > VirtualHost +80/ghost
                    < VirtualHost #1 -80/ghost
                    > generation g2
                    > generation g3
                    < VirtualHost #2 80/ghost=v1
                    > generation g4
                    < VirtualHost #3 -80/ghost
                    > generation g5
                    """);
    }

    @Test
    void answersASecondSubscriptionToTheSameNameAgain() {
        new Transcript(generation("g1", resource(CLUSTER, "a", "1")))
                .subscribe(CLUSTER, "a")
                .subscribe(CLUSTER, "a", "nobody")
                .reads("""
                    > Cluster +a
                    < Cluster #1 a=v1
                    > Cluster +a +nobody
                    < Cluster #2 a=v1 -nobody
                    """);
    }

    @Test
    void sendsEverythingForAStarAndForAFirstRequestWithoutNames() {
        var resources = generation("g1", resource(DOCUMENT, "a", "1"), resource(CLUSTER, "c", "1"));

        new Transcript(resources)
                .subscribe(DOCUMENT, "*")
                .subscribe(CLUSTER)
                .subscribe(CLUSTER)
                .offered(generation("g2", resource(DOCUMENT, "b", "1"), resource(CLUSTER, "c", "1")))
                .reads("""
                    > Document +*
                    < Document #1 a=v1
                    > Cluster
                    < Cluster #2 c=v1
                    > Cluster
                    > generation g2
                    < Document #3 b=v1 -a
                    """);
    }

    @Test
    void saysEvenThatEverythingIsNothing() {
        new Transcript(generation("g1")).subscribe(DOCUMENT, "*").reads("""
            > Document +*
            < Document #1
            """);
    }

    @Test
    void resendsNothingToAClientThatComesBackUpToDate() {
        new Transcript(generation(
                        "g1", resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "2"), resource(DOCUMENT, "d", "1")))
                .says(request(CLUSTER)
                        .addAllResourceNamesSubscribe(List.of("a", "b", "gone"))
                        .putInitialResourceVersions("a", "v1")
                        .putInitialResourceVersions("b", "v1")
                        .putInitialResourceVersions("gone", "v1"))
                .says(request(DOCUMENT)
                        .addResourceNamesSubscribe("*")
                        .putInitialResourceVersions("d", "v1")
                        .putInitialResourceVersions("e", "v1"))
                .reads("""
                    > Cluster +a +b +gone has a=v1 has b=v1 has gone=v1
                    < Cluster #1 b=v2 -gone
                    > Document +* has d=v1 has e=v1
                    < Document #2 -e
                    """);
    }

    @Test
    void tellsAClientThatComesBackThatItIsUpToDate() {
        new Transcript(generation("g1", resource(CLUSTER, "a", "1")))
                .says(request(CLUSTER).addResourceNamesSubscribe("a").putInitialResourceVersions("a", "v1"))
                .reads("""
                    > Cluster +a has a=v1
                    < Cluster #1
                    """);
    }

    @Test
    void forgetsWhatIsUnsubscribed() {
        new Transcript(generation("g1", resource(CLUSTER, "a", "1")))
                .subscribe(CLUSTER, "a")
                .acks(CLUSTER, "1")
                .unsubscribe(CLUSTER, "a", "never")
                .offered(generation("g2", resource(CLUSTER, "a", "2")))
                .subscribe(CLUSTER, "a")
                .reads("""
                    > Cluster +a
                    < Cluster #1 a=v1
                    > Cluster ack 1
                    # Cluster acked g1
                    > Cluster -a -never
                    > generation g2
                    > Cluster +a
                    < Cluster #2 a=v2
                    """);
    }

    @Test
    void tellsWhoKeepsTheWildcardWhatBecameOfANameItGaveUp() {
        new Transcript(generation("g1", resource(CLUSTER, "a", "1")))
                .subscribe(CLUSTER, "*", "a", "nobody")
                .unsubscribe(CLUSTER, "a", "nobody")
                .unsubscribe(CLUSTER, "*")
                .offered(generation("g2", resource(CLUSTER, "a", "2")))
                .reads("""
                    > Cluster +* +a +nobody
                    < Cluster #1 a=v1 -nobody
                    > Cluster -a -nobody
                    < Cluster #2 a=v1 -nobody
                    > Cluster -*
                    > generation g2
                    """);
    }

    @Test
    void makesBeforeItBreaks() {
        var before = generation(
                "g1",
                resource(LISTENER, "l", "1"),
                resource(CLUSTER, "old", "1"),
                resource(ENDPOINTS, "old", "1"),
                resource(ROUTES, "r", "1"),
                resource(VIRTUAL_HOST, "v", "1"),
                resource(DOCUMENT, "d", "1"));
        var after = generation(
                "g2",
                resource(LISTENER, "l", "2"),
                resource(CLUSTER, "new", "1"),
                resource(ENDPOINTS, "new", "1"),
                resource(ROUTES, "r", "2"),
                resource(VIRTUAL_HOST, "w", "1"),
                resource(DOCUMENT, "e", "1"));

        new Transcript(before)
                .subscribe(DOCUMENT, "*")
                .subscribe(VIRTUAL_HOST, "*")
                .subscribe(ROUTES, "r")
                .subscribe(LISTENER, "*")
                .subscribe(ENDPOINTS, "*")
                .subscribe(CLUSTER, "*")
                .offered(after)
                .reads("""
                    > Document +*
                    < Document #1 d=v1
                    > VirtualHost +*
                    < VirtualHost #2 v=v1
                    > RouteConfiguration +r
                    < RouteConfiguration #3 r=v1
                    > Listener +*
                    < Listener #4 l=v1
                    > ClusterLoadAssignment +*
                    < ClusterLoadAssignment #5 old=v1
                    > Cluster +*
                    < Cluster #6 old=v1
                    > generation g2
                    < Cluster #7 new=v1
                    < ClusterLoadAssignment #8 new=v1
                    < Listener #9 l=v2
                    < RouteConfiguration #10 r=v2
                    < VirtualHost #11 w=v1
                    < Document #12 e=v1 -d
                    < VirtualHost #13 -v
                    < ClusterLoadAssignment #14 -old
                    < Cluster #15 -old
                    """);
    }

    @Test
    void aResourceIsFoundByItsAliasAndRemovedByItsName() {
        new Transcript(generation("g1", resource(VIRTUAL_HOST, "80/a.default", "1", "80/a", "80/a.other")))
                .subscribe(VIRTUAL_HOST, "80/a")
                .subscribe(VIRTUAL_HOST, "80/a.other")
                .offered(generation("g2", resource(VIRTUAL_HOST, "80/a.default", "2", "80/a", "80/a.other")))
                .unsubscribe(VIRTUAL_HOST, "80/a")
                .offered(generation("g3"))
                .reads("""
                    > VirtualHost +80/a
                    < VirtualHost #1 80/a.default=v1
                    > VirtualHost +80/a.other
                    < VirtualHost #2 80/a.default=v1
                    > generation g2
                    < VirtualHost #3 80/a.default=v2
                    > VirtualHost -80/a
                    > generation g3
                    < VirtualHost #4 -80/a.default -80/a.other
                    """);
    }

    @Test
    void knowsWhatIsInForceAtTheClientAndWhatItRefused() {
        var transcript = new Transcript(generation("g1", resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "1")))
                .subscribe(CLUSTER, "a", "b")
                .acks(CLUSTER, "1")
                .offered(generation("g2", resource(CLUSTER, "a", "2"), resource(CLUSTER, "b", "2")));
        assertThat(transcript.session().settled()).isFalse();

        transcript.says(request(CLUSTER)
                .setResponseNonce("2")
                .setErrorDetail(Status.newBuilder()
                        .setMessage("one is bad")
                        .addDetails(Any.pack(ResourceError.newBuilder()
                                .setResourceName(ResourceName.newBuilder().setName("b"))
                                .setErrorDetail(Transcript.complaint("no such thing"))
                                .build()))));

        var session = transcript.session();
        assertThat(session.settled()).isTrue();
        assertThat(session.inForce(CLUSTER)).containsEntry("a", "v2").containsEntry("b", "v1");
        assertThat(session.refused(CLUSTER)).containsOnlyKeys("b").containsEntry("b", "no such thing");

        transcript
                .offered(generation("g3", resource(CLUSTER, "a", "2"), resource(CLUSTER, "b", "3")))
                .acks(CLUSTER, "3");
        assertThat(session.refused(CLUSTER)).isEmpty();
        assertThat(session.inForce(CLUSTER)).containsEntry("b", "v3");
    }

    @Test
    void takesANackThatNamesNobodyToMeanTheWholeResponse() {
        var transcript = new Transcript(generation("g1", resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "1")))
                .subscribe(CLUSTER, "a", "b")
                .nacks(CLUSTER, "1", "will not")
                .acks(CLUSTER, "1")
                .acks(CLUSTER, "99");

        transcript.reads("""
            > Cluster +a +b
            < Cluster #1 a=v1 b=v1
            > Cluster nack 1
            # Cluster nacked [a, b]: will not
            > Cluster ack 1
            > Cluster ack 99
            """);
        assertThat(transcript.session().inForce(CLUSTER)).isEmpty();
        assertThat(transcript.session().refused(CLUSTER)).containsOnlyKeys("a", "b");
    }

    @Test
    void splitsWhatIsTooLargeForOneResponseAndMarksThatMoreFollows() {
        var large = "x".repeat(60);
        var transcript = new Transcript(
                generation("g1", resource(DOCUMENT, "a", large), resource(DOCUMENT, "b", large)),
                new Limits(10, 100, 10, 100));

        var answer = (Reaction.Answer<?>) transcript
                .session()
                .hear(request(DOCUMENT).addResourceNamesSubscribe("*").build());

        assertThat(answer.send())
                .extracting(each -> ((io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse) each).getNonce())
                .containsExactly("1+", "2");
    }

    @Test
    void refusesAClientThatAsksForTooMuch() {
        var limits = new Limits(2, 60, 1, 100);

        new Transcript(generation("g1"), limits)
                .subscribe(CLUSTER, "a", "b", "c")
                .reads("""
                    > Cluster +a +b +c
                    ! more than 2 names of type.googleapis.com/envoy.config.cluster.v3.Cluster on one stream
                    """);
        new Transcript(generation("g1"), limits)
                .subscribe(CLUSTER, "a")
                .subscribe(LISTENER, "a")
                .reads("""
                    > Cluster +a
                    < Cluster #1 -a
                    > Listener +a
                    ! more than 1 types on one stream; the one too many is type.googleapis.com/envoy.config.listener.v3.Listener
                    """);
        new Transcript(generation("g1"), limits)
                .says(request(CLUSTER).addResourceNamesSubscribe("n".repeat(61)))
                .reads("> Cluster +" + "n".repeat(61)
                        + "\n"
                        + "! a name or version of type.googleapis.com/envoy.config.cluster.v3.Cluster must"
                        + " have 1 to 60 characters, one has 61");
    }

    @Test
    void refusesAClientThatNeverAnswers() {
        var transcript = new Transcript(generation("g0", resource(CLUSTER, "a", "0"))).subscribe(CLUSTER, "a");

        Reaction<?> last = new Reaction.Refusal<>("");
        for (var i = 1; i <= 1_000; i++) {
            last = transcript.session().offer(generation("g" + i, resource(CLUSTER, "a", String.valueOf(i))));
        }

        assertThat(last)
                .isEqualTo(new Reaction.Refusal<>(
                        "the client left 1000 responses of " + CLUSTER + " without ACK or NACK"));
    }

    @Test
    void refusesAClientThatAsksAgainAndAgainAndNeverAnswers() {
        var transcript = new Transcript(generation("g0", resource(CLUSTER, "a", "0")));
        for (var i = 0; i < 1_000; i++) {
            transcript.subscribe(CLUSTER, "a");
        }
        long kept = transcript.session().weight();

        var last = transcript
                .session()
                .hear(request(CLUSTER).addResourceNamesSubscribe("a").build());

        assertThat(last)
                .isEqualTo(new Reaction.Refusal<>(
                        "the client left 1000 responses of " + CLUSTER + " without ACK or NACK"));
        assertThat(kept).isGreaterThan(64_000);
        assertThat(transcript.session().weight()).isEqualTo(kept);
    }

    @Test
    void whatIsAnsweredWeighsNothingAnyMore() {
        var transcript = new Transcript(generation("g0", resource(CLUSTER, "a", "0"))).subscribe(CLUSTER, "a");
        transcript.acks(CLUSTER, "1");
        long before = transcript.session().weight();

        transcript.subscribe(CLUSTER, "a");
        assertThat(transcript.session().weight()).isGreaterThan(before);

        transcript.acks(CLUSTER, "2");
        assertThat(transcript.session().weight()).isEqualTo(before).isEqualTo(65);
    }

    @Test
    void ofWhatAClientClaimsToHaveOnlyTheTruthIsKept() {
        var transcript = new Transcript(generation("g1", resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "1")));
        var claims = request(CLUSTER)
                .addResourceNamesSubscribe("*")
                .putInitialResourceVersions("a", "v1")
                .putInitialResourceVersions("b", "x".repeat(1_000));
        for (var i = 0; i < 1_000; i++) {
            claims.putInitialResourceVersions("invented-" + i, "x".repeat(1_000));
        }

        transcript.says(claims);

        var session = transcript.session();
        assertThat(session.inForce(CLUSTER)).containsOnlyKeys("a");
        // It is still to be told that there are none, and that weighs until it says that it heard.
        assertThat(session.weight()).isGreaterThan(64_000);
        transcript.acks(CLUSTER, "1");
        assertThat(session.weight()).isZero();
        assertThat(session.inForce(CLUSTER)).containsOnlyKeys("a", "b");
    }

    @Test
    void theReasonsOfARefusalWeighUntilItIsTakenBack() {
        var transcript = new Transcript(generation("g1", resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "1")))
                .subscribe(CLUSTER, "a", "b")
                .nacks(CLUSTER, "1", "no".repeat(500));

        assertThat(transcript.session().weight()).isBetween(1_130L, 1_300L);

        transcript
                .offered(generation("g2", resource(CLUSTER, "a", "2"), resource(CLUSTER, "b", "2")))
                .acks(CLUSTER, "2");
        assertThat(transcript.session().weight()).isEqualTo(130);
    }
}
