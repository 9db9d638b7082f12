package dev.bodyguard.identity.service;

import dev.bodyguard.identity.spiffe.JoinToken;
import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Kubernetes' tokens of service accounts for the audience `bodyguard`, judged by the API server (TokenReview,
/// authentication.k8s.io/v1), which also knows of accounts and pods that are gone.
///
/// Whoever can connect can send: what is no JWT, or longer than 16 KiB, is never asked about; one address has its rate
/// of questions, and all have sixteen at a time. Who was admitted is believed for three seconds.
final class ClusterTokens implements Tokens {
    private static final String AUDIENCE = "bodyguard";
    private static final Pattern JWT = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
    /// Names of service accounts are DNS subdomains, those of namespaces labels.
    private static final Pattern ACCOUNT = Pattern.compile(
            "system:serviceaccount:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)");

    private static final int AT_A_TIME = 16;
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(3);
    private static final Duration BELIEVED = Duration.ofSeconds(3);
    private static final int REMEMBERED_AT_MOST = 1_000;
    private static final int LONGEST_REASON = 200;

    private final KubernetesClient client;
    private final InstantSource clock;
    private final Semaphore turns = new Semaphore(AT_A_TIME, true);
    /// A node's restart brings a hundred pods at once, which may share an address.
    private final Allowance questions;
    /// By hash, so that no token stays in memory. The oldest first. Guarded by itself.
    private final Map<String, Believed> remembered = new LinkedHashMap<>();

    ClusterTokens(KubernetesClient client, InstantSource clock) {
        this.client = client;
        this.clock = clock;
        this.questions = new Allowance(200, Duration.ofMillis(20), clock);
    }

    private record Believed(Admitted whom, Instant until) {}

    @Override
    public Admission judge(String token, String from) {
        if (token.isEmpty()) {
            return new Refused("no token was given");
        }
        if (token.length() > JoinToken.LONGEST || !JWT.matcher(token).matches()) {
            return new Refused("the token is not one of a Kubernetes service account: it is no JWT of "
                    + JoinToken.LONGEST + " bytes or less");
        }
        var hash = hash(token);
        var known = recall(hash);
        if (known != null) {
            return known;
        }
        if (!questions.take(host(from))) {
            return new Unknown("too many tokens come from one address; try again in a second");
        }
        try {
            if (!turns.tryAcquire(LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
                return new Unknown("too many tokens are being judged; try again in a second");
            }
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
            return new Unknown("the identity service is ending; try again in a second");
        }
        try {
            var answer = answer(ask(token));
            if (answer instanceof Admitted admitted) {
                remember(hash, admitted);
            }
            return answer;
        } catch (KubernetesClientException failed) {
            return new Unknown("the token cannot be judged now: " + Cluster.why(failed) + "; try again in a second");
        } finally {
            turns.release();
        }
    }

    private @Nullable TokenReviewStatus ask(String token) {
        TokenReview review = client.tokenReviews()
                .create(new TokenReviewBuilder()
                        .withNewSpec()
                        .withToken(token)
                        .withAudiences(AUDIENCE)
                        .endSpec()
                        .build());
        return review == null ? null : review.getStatus();
    }

    /// What the API server's words mean.
    static Admission answer(@Nullable TokenReviewStatus status) {
        if (status == null || !Boolean.TRUE.equals(status.getAuthenticated())) {
            var error = status == null ? null : status.getError();
            return new Refused("the API server does not accept the token for the audience " + AUDIENCE
                    + (error == null || error.isEmpty() ? "" : ": " + shortened(error)));
        }
        // An authenticator that knows no audiences answers with none: the token may be for somebody else.
        var audiences = status.getAudiences();
        if (audiences == null || !audiences.contains(AUDIENCE)) {
            return new Refused("the token is not for the audience " + AUDIENCE);
        }
        var user = status.getUser();
        var name = user == null || user.getUsername() == null ? "" : user.getUsername();
        var account = ACCOUNT.matcher(name);
        if (!account.matches()) {
            return new Refused("the token is of '" + shortened(name) + "', not of a service account");
        }
        var extra = user.getExtra();
        var pods = extra == null ? null : extra.get("authentication.kubernetes.io/pod-name");
        return new Admitted(
                account.group(1), account.group(2), pods == null || pods.isEmpty() ? "" : "pod " + pods.getFirst());
    }

    private @Nullable Admitted recall(String hash) {
        synchronized (remembered) {
            var believed = remembered.get(hash);
            if (believed == null) {
                return null;
            }
            if (clock.instant().isBefore(believed.until())) {
                return believed.whom();
            }
            remembered.remove(hash);
            return null;
        }
    }

    private void remember(String hash, Admitted whom) {
        synchronized (remembered) {
            remembered.put(hash, new Believed(whom, clock.instant().plus(BELIEVED)));
            if (remembered.size() > REMEMBERED_AT_MOST) {
                remembered.remove(remembered.keySet().iterator().next());
            }
        }
    }

    private static String hash(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("this JDK has no SHA-256", missing);
        }
    }

    /// `10.0.0.7` of `/10.0.0.7:40112`: a host's connections count together.
    private static String host(String from) {
        var colon = from.lastIndexOf(':');
        return colon < 0 ? from : from.substring(0, colon);
    }

    private static String shortened(String text) {
        return text.length() > LONGEST_REASON ? text.substring(0, LONGEST_REASON) + "…" : text;
    }
}
