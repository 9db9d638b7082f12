package dev.bodyguard.injector.service;

import dev.bodyguard.identity.spiffe.TrustBundle;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashSet;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Keeps the roots by which the API server knows the webhook in the webhook's configuration, whoever else writes there.
///
/// Replicas do not quarrel while roots rotate: one whose roots are all there leaves the others alone, and only one that
/// has just got new roots writes exactly those.
final class CaBundle implements AutoCloseable {
    private static final long LOOK_AGAIN_SECONDS = 30;
    private static final long AFTER_FAILURE_SECONDS = 2;

    private final KubernetesClient client;
    private final String webhook;
    private final Supplier<TrustBundle> roots;
    private final Events events;
    private final BlockingQueue<Boolean> changed = new ArrayBlockingQueue<>(1);
    private final SharedIndexInformer<MutatingWebhookConfiguration> watching;
    private final Thread thread;
    private @Nullable TrustBundle written;
    private volatile Optional<String> trouble = Optional.of("the webhook's caBundle has not been looked at yet");

    private CaBundle(KubernetesClient client, String webhook, Supplier<TrustBundle> roots, Events events) {
        this.client = client;
        this.webhook = webhook;
        this.roots = roots;
        this.events = events;
        this.watching = client.admissionRegistration()
                .v1()
                .mutatingWebhookConfigurations()
                .withName(webhook)
                .runnableInformer(0);
        this.thread = Thread.ofVirtual().name("ca-bundle").unstarted(this::run);
    }

    /// Begins.
    static CaBundle start(KubernetesClient client, String webhook, Supplier<TrustBundle> roots, Events events) {
        var bundle = new CaBundle(client, webhook, roots, events);
        bundle.thread.start();
        bundle.watching.addEventHandler(bundle.new Changes());
        // It fails and tries again on its own; until then the thread looks now and then.
        var _ = bundle.watching.start().exceptionally(failed -> null);
        return bundle;
    }

    /// Why the API server cannot call the webhook; empty if it can.
    Optional<String> trouble() {
        return trouble;
    }

    /// Looks soon: there may be new roots.
    void look() {
        var _ = changed.offer(Boolean.TRUE);
    }

    @Override
    public void close() {
        thread.interrupt();
        watching.stop();
    }

    private final class Changes implements ResourceEventHandler<MutatingWebhookConfiguration> {
        @Override
        public void onAdd(MutatingWebhookConfiguration configuration) {
            look();
        }

        @Override
        public void onUpdate(MutatingWebhookConfiguration before, MutatingWebhookConfiguration after) {
            look();
        }

        @Override
        public void onDelete(MutatingWebhookConfiguration configuration, boolean stale) {
            look();
        }
    }

    private void run() {
        try {
            while (true) {
                boolean well = keepRight();
                var _ = changed.poll(well ? LOOK_AGAIN_SECONDS : AFTER_FAILURE_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean keepRight() {
        var now = roots.get();
        try {
            var resource = client.admissionRegistration()
                    .v1()
                    .mutatingWebhookConfigurations()
                    .withName(webhook);
            var configuration = resource.get();
            if (configuration == null) {
                return trouble("MutatingWebhookConfiguration " + webhook + " does not exist; install the chart");
            }
            if (!isRight(configuration, now, !now.equals(written))) {
                resource.edit(found -> with(found, now));
                events.authorityWritten(webhook);
            }
            written = now;
            trouble = Optional.empty();
            return true;
        } catch (KubernetesClientException failed) {
            return trouble(Why.of(failed));
        }
    }

    private boolean trouble(String why) {
        trouble = Optional.of(why);
        events.authorityNotWritten(webhook, why);
        return false;
    }

    private static boolean isRight(MutatingWebhookConfiguration configuration, TrustBundle roots, boolean exactly) {
        for (var webhook : configuration.getWebhooks()) {
            var there = webhook.getClientConfig().getCaBundle();
            if (there == null || !(exactly ? there.equals(encoded(roots)) : holds(there, roots))) {
                return false;
            }
        }
        return true;
    }

    private static boolean holds(String there, TrustBundle roots) {
        try {
            var pem = new String(Base64.getDecoder().decode(there), StandardCharsets.UTF_8);
            return new HashSet<>(TrustBundle.ofPem(roots.trustDomain(), pem).roots()).containsAll(roots.roots());
        } catch (IllegalArgumentException _) {
            return false; // somebody else's, or nothing of use
        }
    }

    private static MutatingWebhookConfiguration with(MutatingWebhookConfiguration configuration, TrustBundle roots) {
        configuration.getWebhooks().forEach(webhook -> webhook.getClientConfig().setCaBundle(encoded(roots)));
        return configuration;
    }

    private static String encoded(TrustBundle roots) {
        return Base64.getEncoder().encodeToString(roots.toPem().getBytes(StandardCharsets.UTF_8));
    }
}
