package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// A control plane in miniature: holds resources, answers subscriptions, tells of changes; on a thread of its own, as
/// the xDS client does.
final class FakeConfig implements Planner.Subscriptions, AutoCloseable {
    private final Map<String, Map<String, Any>> resources = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> subscribed = new ConcurrentHashMap<>();
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon(true).factory());
    private volatile @Nullable Planner planner;
    private final Set<String> silentAbout = ConcurrentHashMap.newKeySet();

    void tell(Planner told) {
        planner = told;
        told.askThrough(this);
    }

    /// From now on nobody who asks for this type is answered.
    void fallSilentAbout(String type) {
        silentAbout.add(type);
    }

    FakeConfig put(String type, String name, Message resource) {
        resources.computeIfAbsent(type, _ -> new ConcurrentHashMap<>()).put(name, Any.pack(resource));
        if (subscribed.getOrDefault(type, Set.of()).contains(name)) {
            answer(type, List.of(name));
        }
        return this;
    }

    @Override
    public void subscribe(String type, Collection<String> names) {
        subscribed.computeIfAbsent(type, _ -> ConcurrentHashMap.newKeySet()).addAll(names);
        if (!silentAbout.contains(type)) {
            answer(type, names);
        }
    }

    @Override
    public void unsubscribe(String type, Collection<String> names) {
        subscribed.getOrDefault(type, ConcurrentHashMap.newKeySet()).removeAll(names);
    }

    private void answer(String type, Collection<String> names) {
        thread.execute(() -> {
            var found = new ArrayList<Resource>();
            var missing = new ArrayList<String>();
            for (String name : names) {
                var any = resources.getOrDefault(type, Map.of()).get(name);
                if (any == null) {
                    missing.add(name);
                } else {
                    found.add(
                            Resource.newBuilder().setName(name).setResource(any).build());
                }
            }
            var told = planner;
            if (told != null) {
                var applied = told.apply(type, found, missing);
                if (!applied.rejected().isEmpty()) {
                    System.err.println("rejected: " + applied.rejected());
                }
            }
        });
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
