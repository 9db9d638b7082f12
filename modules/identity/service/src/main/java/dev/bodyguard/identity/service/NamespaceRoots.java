package dev.bodyguard.identity.service;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Keeps the mesh's roots in the ConfigMap `bodyguard-root` (key `root.pem`) of every namespace, where pods find them,
/// whoever else writes there. A namespace that is ending is left alone.
///
/// One thread of its own looks and writes; the client's threads tell it that something has changed. While the API
/// server
/// does not answer nothing changes, and it is asked again without end.
final class NamespaceRoots implements AutoCloseable {
    static final String NAME = "bodyguard-root";
    static final String KEY = "root.pem";

    private static final String MANAGED_BY = "app.kubernetes.io/managed-by";
    private static final String US = "bodyguard";
    private static final long LOOK_AGAIN_SECONDS = 30;
    private static final long AFTER_FAILURE_SECONDS = 2;
    private static final Duration BEFORE_ALL_IS_KNOWN = Duration.ofMillis(100);
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;

    private final KubernetesClient client;
    private final String pem;
    private final Events events;
    private final BlockingQueue<Boolean> changed = new ArrayBlockingQueue<>(1);
    private final SharedIndexInformer<Namespace> namespaces;
    private final SharedIndexInformer<ConfigMap> written;
    private final Thread thread;
    /// Why namespaces have no roots, as it was told last. Only the thread's.
    private Map<String, String> troubles = Map.of();

    private volatile boolean looked;

    private NamespaceRoots(KubernetesClient client, String pem, Events events) {
        this.client = client;
        this.pem = pem;
        this.events = events;
        this.namespaces = client.namespaces().runnableInformer(0);
        this.written = client.configMaps()
                .inAnyNamespace()
                .withField("metadata.name", NAME)
                .runnableInformer(0);
        this.thread = Thread.ofVirtual().name("namespace-roots").unstarted(this::run);
    }

    /// Begins.
    ///
    /// @param pem what shall stand there
    static NamespaceRoots start(KubernetesClient client, String pem, Events events) {
        var roots = new NamespaceRoots(client, pem, events);
        roots.follow(roots.namespaces);
        roots.follow(roots.written);
        roots.thread.start();
        return roots;
    }

    /// Why pods may wait for their roots; empty once all namespaces have been looked at.
    Optional<String> unready() {
        return looked ? Optional.empty() : Optional.of("the cluster's namespaces have not been looked at yet");
    }

    @Override
    public void close() {
        thread.interrupt();
        namespaces.stop();
        written.stop();
    }

    private <T extends HasMetadata> void follow(SharedIndexInformer<T> informer) {
        informer.exceptionHandler((_, _) -> true); // again, without end
        informer.addEventHandler(new Changes<T>());
        var _ = informer.start();
    }

    private final class Changes<T> implements ResourceEventHandler<T> {
        @Override
        public void onAdd(T one) {
            look();
        }

        @Override
        public void onUpdate(T before, T after) {
            look();
        }

        @Override
        public void onDelete(T one, boolean stale) {
            look();
        }
    }

    private void look() {
        var _ = changed.offer(Boolean.TRUE);
    }

    private void run() {
        try {
            while (true) {
                if (!namespaces.hasSynced() || !written.hasSynced()) {
                    Thread.sleep(BEFORE_ALL_IS_KNOWN);
                } else {
                    var well = keepRight();
                    var _ = changed.poll(well ? LOOK_AGAIN_SECONDS : AFTER_FAILURE_SECONDS, TimeUnit.SECONDS);
                }
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean keepRight() throws InterruptedException {
        var right = new ArrayList<String>();
        var wrong = new HashMap<String, String>();
        for (var namespace : namespaces.getStore().list()) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            var name = namespace.getMetadata().getName();
            if (isEnding(namespace) || isRight(written.getStore().getByKey(name + "/" + NAME))) {
                continue;
            }
            try {
                write(name);
                right.add(name);
            } catch (KubernetesClientException failed) {
                if (!isGone(failed)) {
                    wrong.put(name, Cluster.why(failed));
                }
            }
        }
        if (!right.isEmpty()) {
            events.rootsWritten(right);
        }
        wrong.forEach((name, why) -> {
            if (!why.equals(troubles.get(name))) {
                events.rootsNotWritten(name, why);
            }
        });
        troubles = wrong;
        looked = true;
        return wrong.isEmpty();
    }

    private void write(String namespace) {
        client.configMaps()
                .inNamespace(namespace)
                .resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName(NAME)
                        .withNamespace(namespace)
                        .addToLabels(MANAGED_BY, US)
                        .endMetadata()
                        .addToData(KEY, pem)
                        .build())
                .fieldManager("bodyguard-identity")
                .forceConflicts()
                .serverSideApply();
    }

    private boolean isRight(@Nullable ConfigMap map) {
        if (map == null || map.getData() == null || map.getMetadata().getLabels() == null) {
            return false;
        }
        return pem.equals(map.getData().get(KEY))
                && US.equals(map.getMetadata().getLabels().get(MANAGED_BY));
    }

    private static boolean isEnding(Namespace namespace) {
        return namespace.getMetadata().getDeletionTimestamp() != null;
    }

    /// The namespace ended while we wrote, which the API server answers with these.
    private static boolean isGone(KubernetesClientException failed) {
        return failed.getCode() == NOT_FOUND
                || (failed.getCode() == FORBIDDEN && Cluster.why(failed).contains("being terminated"));
    }
}
