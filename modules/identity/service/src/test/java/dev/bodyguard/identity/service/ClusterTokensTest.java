package dev.bodyguard.identity.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// What a real API server never answers, or not at will; the cluster suite has the rest.
class ClusterTokensTest {
    private static final String TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
    private static final String PEER = "/10.0.0.7:40112";

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-03-01T12:00:00Z"));

    @Test
    void takesOnlyTheNameOfAServiceAccount() {
        assertThat(judged(user("system:serviceaccount:shop:pay.v2")))
                .isEqualTo(new Tokens.Admitted("shop", "pay.v2", "pod pay-1"));
        for (var name : List.of(
                "system:serviceaccount:shop",
                "system:serviceaccount:shop:pay:admin",
                "system:serviceaccount:shop:",
                "system:serviceaccount:SHOP:pay",
                "system:serviceaccount:shop:..",
                "system:serviceaccount:shop:pay\nsystem:serviceaccount:shop:pay",
                " system:serviceaccount:shop:pay",
                "system:node:one",
                "")) {
            assertThat(judged(user(name))).as(name).isInstanceOf(Tokens.Refused.class);
        }
    }

    @Test
    void takesNoWordOfAnAuthenticatorThatKnowsNoAudiences() {
        var review = user("system:serviceaccount:shop:pay");
        review.getStatus().setAudiences(List.of());

        assertThat(judged(review)).isEqualTo(new Tokens.Refused("the token is not for the audience bodyguard"));

        review.getStatus().setAudiences(List.of("https://kubernetes.default.svc"));
        assertThat(judged(review)).isInstanceOf(Tokens.Refused.class);
    }

    @Test
    void takesNoneThatIsNotAuthenticated() {
        var review = user("system:serviceaccount:shop:pay");
        review.getStatus().setAuthenticated(false);
        review.getStatus().setError("token has expired");

        assertThat(judged(review))
                .isEqualTo(new Tokens.Refused(
                        "the API server does not accept the token for the audience bodyguard: token has expired"));
        review.getStatus().setAuthenticated(null);
        assertThat(judged(review)).isInstanceOf(Tokens.Refused.class);
        assertThat(ClusterTokens.answer(null)).isInstanceOf(Tokens.Refused.class);
    }

    @Test
    void believesForThreeSecondsWhomTheApiServerAdmitted() {
        var api = new KubernetesMockServer(false);
        api.init();
        try (var client = api.createClient()) {
            api.expect()
                    .post()
                    .withPath("/apis/authentication.k8s.io/v1/tokenreviews")
                    .andReturn(201, user("system:serviceaccount:shop:pay"))
                    .once();
            var tokens = new ClusterTokens(client, now::get);

            assertThat(tokens.judge(TOKEN, PEER)).isInstanceOf(Tokens.Admitted.class);
            now.set(now.get().plusMillis(2_999));
            assertThat(tokens.judge(TOKEN, PEER)).isInstanceOf(Tokens.Admitted.class);
            assertThat(tokens.judge(TOKEN + "x", PEER)).isNotInstanceOf(Tokens.Admitted.class);
            now.set(now.get().plusMillis(1));
            assertThat(tokens.judge(TOKEN, PEER)).isNotInstanceOf(Tokens.Admitted.class);
        }
    }

    @Test
    void certifiesNobodyForLoopback() {
        try (var client = nobody()) {
            var names = Issuance.names(
                    ServerSvid.id("cluster.local", "config"), new ClusterTokens(client, InstantSource.system()));

            assertThat(names.dns())
                    .containsExactly(
                            "bodyguard-config.bodyguard-system.svc",
                            "bodyguard-config.bodyguard-system.svc.cluster.local");
            assertThat(names.addresses()).isEmpty();
        }
    }

    @Test
    void asksNobodyAboutWhatIsNoTokenAndSaysWhereNobodyAnswers() {
        try (var client = nobody()) {
            var tokens = new ClusterTokens(client, InstantSource.fixed(now.get()));

            for (var token :
                    List.of("", "bg1.c2hvcC9wYXk.cHJvb2Y=", "a.b", "a.b.c.d", "a.b.\u00e9", "a".repeat(20_000))) {
                assertThat(tokens.judge(token, PEER)).as(token).isInstanceOf(Tokens.Refused.class);
            }

            assertThat(tokens.judge(TOKEN, PEER))
                    .isInstanceOfSatisfying(
                            Tokens.Unknown.class,
                            unknown -> assertThat(unknown.sentence())
                                    .startsWith("the token cannot be judged now: the API server does not answer: "));
        }
    }

    private static Tokens.Admission judged(TokenReview review) {
        return ClusterTokens.answer(review.getStatus());
    }

    private static TokenReview user(String name) {
        return new TokenReviewBuilder()
                .withNewStatus()
                .withAuthenticated(true)
                .withAudiences("bodyguard")
                .withNewUser()
                .withUsername(name)
                .addToExtra("authentication.kubernetes.io/pod-name", List.of("pay-1"))
                .endUser()
                .endStatus()
                .build();
    }

    private static KubernetesClient nobody() {
        return new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder()
                        .withMasterUrl("http://127.0.0.1:1")
                        .withRequestRetryBackoffLimit(0)
                        .build())
                .build();
    }
}
