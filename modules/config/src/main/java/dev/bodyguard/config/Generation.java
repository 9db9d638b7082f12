package dev.bodyguard.config;

import com.google.protobuf.Message;
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

/// One mesh, compiled as far as anybody has asked. What is the same for all proxies is compiled and packed once.
final class Generation {
    /// Clients choose the names they ask for, so what is remembered for them must end somewhere.
    private static final int MOST_REMEMBERED = 50_000;

    private final long number;
    private final long publishedAt = System.nanoTime();
    private final dev.bodyguard.xds.compile.Resources compiled;
    private final Map<String, Optional<NamedResource>> clusters = new ConcurrentHashMap<>();
    private final Map<String, Optional<NamedResource>> endpoints = new ConcurrentHashMap<>();
    private final Map<Proxy, Resources> views = new ConcurrentHashMap<>();

    Generation(long number, dev.bodyguard.xds.compile.Resources compiled) {
        this.number = number;
        this.compiled = compiled;
    }

    long number() {
        return number;
    }

    long publishedAt() {
        return publishedAt;
    }

    /// What a proxy may see.
    Resources view(Proxy proxy) {
        return views.computeIfAbsent(proxy, View::new);
    }

    private final class View implements Resources {
        private final Proxy proxy;
        private final Map<String, Optional<NamedResource>> own = new ConcurrentHashMap<>();

        View(Proxy proxy) {
            this.proxy = proxy;
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
                case TypeUrls.CLUSTER -> packed(clusters, name, name, () -> compiled.cluster(name));
                case TypeUrls.ENDPOINTS -> packed(endpoints, name, name, () -> compiled.endpoints(name));
                default -> Optional.empty();
            };
        }

        /// A wildcard is how Envoy subscribes to listeners; everything else our clients name.
        @Override
        public Collection<String> names(String typeUrl) {
            return typeUrl.equals(TypeUrls.LISTENER) ? List.of("outbound", "inbound") : List.of();
        }

        private static Optional<NamedResource> packed(
                Map<String, Optional<NamedResource>> memo,
                String key,
                String name,
                Supplier<? extends Optional<? extends Message>> compile) {
            if (memo.size() >= MOST_REMEMBERED && !memo.containsKey(key)) {
                return compile.get().map(message -> NamedResource.of(name, message));
            }
            return memo.computeIfAbsent(key, _ -> compile.get().map(message -> NamedResource.of(name, message)));
        }
    }
}
