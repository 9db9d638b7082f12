package dev.bodyguard.injector.service;

import dev.bodyguard.identity.spiffe.TrustBundle;
import io.fabric8.kubernetes.api.model.HasMetadata;
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

/// Keeps the roots by which the API server knows webhooks in their configuration, whoever else writes there.
///
/// Replicas do not quarrel while roots rotate: one whose roots are all there leaves the others alone, and only one that
/// has just got new roots writes exactly those.
final class CaBundle<C extends HasMetadata> implements AutoCloseable {
    private static final long LOOK_AGAIN_SECONDS = 30;
    private static final long AFTER_FAILURE_SECONDS = 2;

    private final KubernetesClient client;
    private final Configuration<C> kind;
    private final String name;
    private final Supplier<TrustBundle> roots;
    private final Events events;
    private final BlockingQueue<Boolean> changed = new ArrayBlockingQueue<>(1);
    private final SharedIndexInformer<C> watching;
    private final Thread thread;
    private @Nullable TrustBundle written;
    private volatile Optional<String> trouble = Optional.of("the webhooks' caBundle has not been looked at yet");

    private CaBundle(
            KubernetesClient client, Configuration<C> kind, String name, Supplier<TrustBundle> roots, Events events) {
        this.client = client;
        this.kind = kind;
        this.name = name;
        this.roots = roots;
        this.events = events;
        this.watching = client.resources(kind.type()).withName(name).runnableInformer(0);
        this.thread = Thread.ofVirtual().name("ca-bundle").unstarted(this::run);
    }

    /// Begins.
    static <C extends HasMetadata> CaBundle<C> start(
            KubernetesClient client, Configuration<C> kind, String name, Supplier<TrustBundle> roots, Events events) {
        var bundle = new CaBundle<>(client, kind, name, roots, events);
        bundle.thread.start();
        bundle.watching.addEventHandler(bundle.new Changes());
        // It fails and tries again on its own; until then the thread looks now and then.
        var _ = bundle.watching.start().exceptionally(failed -> null);
        return bundle;
    }

    /// Why the API server cannot call the webhooks; empty if it can.
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

    private final class Changes implements ResourceEventHandler<C> {
        @Override
        public void onAdd(C configuration) {
            look();
        }

        @Override
        public void onUpdate(C before, C after) {
            look();
        }

        @Override
        public void onDelete(C configuration, boolean stale) {
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
            var resource = client.resources(kind.type()).withName(name);
            var configuration = resource.get();
            if (configuration == null) {
                return trouble(kind.shown(name) + " does not exist; install the chart");
            }
            if (!isRight(configuration, now, !now.equals(written))) {
                resource.edit(found -> with(found, now));
                events.authorityWritten(kind.shown(name));
            }
            written = now;
            trouble = Optional.empty();
            return true;
        } catch (KubernetesClientException failed) {
            return trouble(Why.of(failed));
        }
    }

    private boolean trouble(String why) {
        var now = Optional.of(why);
        if (!now.equals(trouble)) {
            trouble = now;
            events.authorityNotWritten(kind.shown(name), why);
        }
        return false;
    }

    private boolean isRight(C configuration, TrustBundle roots, boolean exactly) {
        for (var client : kind.clients().apply(configuration)) {
            var there = client.getCaBundle();
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

    private C with(C configuration, TrustBundle roots) {
        kind.clients().apply(configuration).forEach(client -> client.setCaBundle(encoded(roots)));
        return configuration;
    }

    private static String encoded(TrustBundle roots) {
        return Base64.getEncoder().encodeToString(roots.toPem().getBytes(StandardCharsets.UTF_8));
    }
}
