package dev.bodyguard.source.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// One kind of object, listed and then watched, for as long as it takes: one thread that lists, watches from there, and
/// begins again where a watch ended, or with a new list where the API server no longer knows where that was.
///
/// Objects become what is kept of them one page at a time: a cluster's pods as the API server tells them would not fit.
final class Watched<T> implements AutoCloseable {
    private static final long PAGE = 250;
    /// The API server ends a watch by then, so that one whose connection died without a word is noticed.
    private static final Duration LONGEST_WATCH = Duration.ofMinutes(4);

    private static final Duration GRACE = Duration.ofSeconds(20);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private final KubernetesClient client;
    private final ResourceDefinitionContext context;
    private final Reading<T> reading;
    private final Thread thread;
    private volatile boolean closed;

    /// What becomes of the objects. Never called by two threads at once.
    interface Reading<T> {
        /// What is kept of an object; null where it is as good as not there.
        @Nullable
        T kept(GenericKubernetesResource object);

        /// All there are.
        void listed(Map<String, T> all);

        void put(String key, T object);

        void removed(String key);

        /// It cannot be read now.
        void lost(String why);

        /// It is read, and up to date.
        void current();
    }

    private Watched(KubernetesClient client, Kind kind, String version, Reading<T> reading) {
        this.client = client;
        this.context = context(kind, version);
        this.reading = reading;
        this.thread = Thread.ofVirtual().name("watch " + kind.fullName()).unstarted(this::run);
    }

    static ResourceDefinitionContext context(Kind kind, String version) {
        var context = new ResourceDefinitionContext.Builder()
                .withVersion(version)
                .withKind(kind.name())
                .withPlural(kind.plural())
                .withNamespaced(!kind.equals(Kind.DEFINITIONS));
        if (!kind.group().isEmpty()) {
            context.withGroup(kind.group());
        }
        return context.build();
    }

    static <T> Watched<T> start(KubernetesClient client, Kind kind, String version, Reading<T> reading) {
        var watched = new Watched<>(client, kind, version, reading);
        watched.thread.start();
        return watched;
    }

    /// After this nothing more is told.
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    static String key(GenericKubernetesResource object) {
        var meta = object.getMetadata();
        return meta.getNamespace() == null ? meta.getName() : meta.getNamespace() + "/" + meta.getName();
    }

    private void run() {
        @Nullable String version = null;
        var pause = FIRST_PAUSE;
        try {
            while (!closed) {
                long began = System.nanoTime();
                try {
                    if (version == null) {
                        version = list();
                    }
                    var ended = watch(version);
                    // One that ends at once, with nothing told, began where the API server no longer knows anything.
                    boolean vain = System.nanoTime() - began < FIRST_PAUSE.toNanos() && version.equals(ended);
                    version = vain ? null : ended;
                    if (!vain) {
                        pause = FIRST_PAUSE;
                        continue;
                    }
                } catch (RuntimeException failed) {
                    if (failed instanceof KubernetesClientException answered
                            && answered.getCode() == HttpURLConnection.HTTP_GONE) {
                        version = null;
                    } else if (!closed) {
                        reading.lost(Why.of(failed));
                    }
                }
                Thread.sleep(pause.plusMillis(ThreadLocalRandom.current().nextLong(pause.toMillis())));
                pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private String list() {
        var all = new HashMap<String, T>();
        @Nullable String next = null;
        while (true) {
            var page = client.genericKubernetesResources(context)
                    .inAnyNamespace()
                    .list(new ListOptionsBuilder()
                            .withLimit(PAGE)
                            .withContinue(next)
                            .build());
            for (var object : page.getItems()) {
                var kept = reading.kept(object);
                if (kept != null) {
                    all.put(key(object), kept);
                }
            }
            next = page.getMetadata().getContinue();
            if (next == null || next.isEmpty()) {
                if (!closed) {
                    reading.listed(all);
                }
                return page.getMetadata().getResourceVersion();
            }
        }
    }

    /// Watches until that ends.
    ///
    /// @return where to go on from
    private String watch(String from) throws InterruptedException {
        var at = new AtomicReference<>(from);
        var end = new CountDownLatch(1);
        var gone = new AtomicReference<@Nullable KubernetesClientException>();
        var watcher = new Watcher<GenericKubernetesResource>() {
            @Override
            public void eventReceived(Action action, @Nullable GenericKubernetesResource object) {
                if (closed || object == null || object.getMetadata() == null) {
                    return;
                }
                switch (action) {
                    case ADDED, MODIFIED -> {
                        var kept = reading.kept(object);
                        if (kept == null) {
                            reading.removed(key(object));
                        } else {
                            reading.put(key(object), kept);
                        }
                    }
                    case DELETED -> reading.removed(key(object));
                    case BOOKMARK, ERROR -> {}
                }
                var version = object.getMetadata().getResourceVersion();
                if (version != null && !version.isEmpty() && action != Action.ERROR) {
                    at.set(version);
                }
            }

            @Override
            public void onClose(WatcherException why) {
                if (why.isHttpGone()) {
                    gone.set(why.asClientException());
                }
                end.countDown();
            }

            @Override
            public void onClose() {
                end.countDown();
            }
        };
        var longest = LONGEST_WATCH.plusSeconds(ThreadLocalRandom.current().nextLong(60));
        ListOptions options = new ListOptionsBuilder()
                .withResourceVersion(from)
                .withAllowWatchBookmarks(true)
                .withTimeoutSeconds(longest.toSeconds())
                .build();
        try (var _ = client.genericKubernetesResources(context).inAnyNamespace().watch(options, watcher)) {
            if (!closed) {
                reading.current();
            }
            var _ = end.await(longest.plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
        }
        var over = gone.get();
        if (over != null) {
            throw over;
        }
        return at.get();
    }
}
