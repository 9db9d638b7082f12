package dev.bodyguard.config;

import com.google.protobuf.Message;
import dev.bodyguard.xds.compile.Kind;
import dev.bodyguard.xds.compile.Proxy;
import dev.bodyguard.xds.snapshot.NamedResource;
import dev.bodyguard.xds.snapshot.Resources;
import dev.bodyguard.xds.snapshot.TypeUrls;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One mesh, compiled as far as anybody has asked. What is the same for all proxies is compiled and packed once.
final class Generation {
    /// Clients choose the names they ask for, so what is remembered for them must end somewhere.
    private static final int MOST_REMEMBERED = 50_000;

    /// Replicas share a view, as long as they say the same of themselves. That nobody has proved: one account that says
    /// ever new things gets a view each time that lives no longer than its stream.
    static final int MOST_VIEWS = 64;

    private final long number;
    private final long publishedAt = System.nanoTime();
    private final dev.bodyguard.xds.compile.Resources compiled;
    private final Events events;
    private final Map<Shared, Optional<NamedResource>> clusters = new ConcurrentHashMap<>();
    private final Map<Shared, Optional<NamedResource>> endpoints = new ConcurrentHashMap<>();
    private final Map<Account, Map<Proxy, Resources>> views = new ConcurrentHashMap<>();

    Generation(long number, dev.bodyguard.xds.compile.Resources compiled, Events events) {
        this.number = number;
        this.compiled = compiled;
        this.events = events;
    }

    long number() {
        return number;
    }

    long publishedAt() {
        return publishedAt;
    }

    /// What a proxy may see.
    Resources view(Proxy proxy) {
        var account = new Account(proxy.namespace(), proxy.serviceAccount());
        var ofAccount = views.computeIfAbsent(account, _ -> new ConcurrentHashMap<>());
        if (ofAccount.size() >= MOST_VIEWS && !ofAccount.containsKey(proxy)) {
            events.viewNotRemembered(account.namespace + "/" + account.name, MOST_VIEWS);
            return new View(proxy);
        }
        return ofAccount.computeIfAbsent(proxy, View::new);
    }

    /// Views that are remembered.
    int remembered() {
        return views.values().stream().mapToInt(Map::size).sum();
    }

    /// Who a proxy has proved to be.
    private record Account(String namespace, String name) {}
    /// A resource that all clients of a kind have in common.
    private record Shared(Kind kind, String name) {}

    private final class View implements Resources {
        private final Proxy proxy;
        private final Kind kind;
        private final Map<String, Optional<NamedResource>> own = new ConcurrentHashMap<>();
        private volatile @Nullable List<String> clusterNames;

        View(Proxy proxy) {
            this.proxy = proxy;
            this.kind = proxy.kind().sharing();
        }

        @Override
        public String generation() {
            return Long.toString(number);
        }

        @Override
        public Optional<NamedResource> find(String typeUrl, String name) {
            return switch (typeUrl) {
                case TypeUrls.LISTENER -> packed(own, "L " + name, name, () -> compiled.listener(proxy, name));
                case TypeUrls.VIRTUAL_HOST -> packed(own, "V " + name, name, () -> compiled.virtualHost(proxy, name));
                case TypeUrls.ROUTES -> packed(own, "R " + name, name, () -> compiled.routes(proxy, name));
                case TypeUrls.CLUSTER ->
                    packed(clusters, new Shared(kind, name), name, () -> compiled.cluster(kind, name));
                case TypeUrls.ENDPOINTS ->
                    packed(endpoints, new Shared(kind, name), name, () -> compiled.endpoints(kind, name));
                default -> Optional.empty();
            };
        }

        /// A wildcard is how Envoy subscribes to listeners and clusters; our sidecars name what they want.
        @Override
        public Collection<String> names(String typeUrl) {
            return switch (typeUrl) {
                case TypeUrls.LISTENER -> compiled.listeners(proxy);
                case TypeUrls.CLUSTER, TypeUrls.ENDPOINTS -> clusterNames();
                case TypeUrls.ROUTES -> kind instanceof Kind.Envoy ? List.of("outbound") : List.of();
                default -> List.of();
            };
        }

        private List<String> clusterNames() {
            var known = clusterNames;
            if (known == null) {
                known = compiled.clusters(proxy);
                clusterNames = known;
            }
            return known;
        }

        private static <K> Optional<NamedResource> packed(
                Map<K, Optional<NamedResource>> memo,
                K key,
                String name,
                Supplier<? extends Optional<? extends Message>> compile) {
            if (memo.size() >= MOST_REMEMBERED && !memo.containsKey(key)) {
                return compile.get().map(message -> NamedResource.of(name, message));
            }
            var known = memo.get(key);
            if (known != null) {
                return known;
            }
            var found = compile.get().map(message -> NamedResource.of(name, message));
            // A name that means nothing is somebody's invention, and there is no end of those.
            if (found.isPresent()) {
                memo.put(key, found);
            }
            return found;
        }
    }
}
