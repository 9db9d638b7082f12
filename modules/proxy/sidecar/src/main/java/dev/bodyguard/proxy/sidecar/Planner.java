package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.Any;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.xds.client.Applied;
import dev.bodyguard.xds.client.Sink;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// xDS resources become the plan in force, on a thread of its own; and what the plan mentions, or the app asks for, is
/// subscribed to.
final class Planner implements Sink, AutoCloseable {
    static final String OUTBOUND = "outbound";
    static final String INBOUND = "inbound";

    /// Where names are asked for; the xDS client, in life.
    interface Subscriptions {
        void subscribe(String type, Collection<String> names);

        void unsubscribe(String type, Collection<String> names);
    }

    /// Hears what has come into force.
    interface Listener {
        /// Called on the planner's thread, after the plan was replaced.
        void planned(Plan plan, Set<String> listeners);
    }

    private final InForce<Generation> inForce;
    private final Resources resources;
    private final MeshHosts ours = new MeshHosts();
    private final Duration patience;
    private final Listener listener;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("planner").daemon(true).factory());

    // Owned by the thread.
    private @Nullable Subscriptions subscriptions;
    private final Set<String> listeners = new HashSet<>();
    private final Set<String> clusters = new HashSet<>();
    private final Set<String> assignments = new HashSet<>();
    private final Map<String, ScheduledFuture<?>> warming = new HashMap<>();
    /// Virtual hosts that were wanted before there was anyone to ask: a busy app does not wait for its sidecar.
    private final Set<String> early = new LinkedHashSet<>();

    /// @param patience how long a new virtual host may wait for its clusters and endpoints
    Planner(InForce<Generation> inForce, Loads loads, Duration patience, Listener listener) {
        this.inForce = inForce;
        this.resources = new Resources(loads);
        this.patience = patience;
        this.listener = listener;
    }

    /// Begins to ask, with both listeners.
    void askThrough(Subscriptions through) {
        run(() -> {
            subscriptions = through;
            through.subscribe(Resources.LISTENER, List.of(OUTBOUND, INBOUND));
            if (!early.isEmpty()) {
                through.subscribe(Resources.VIRTUAL_HOST, List.copyOf(early));
                early.clear();
            }
        });
    }

    /// A virtual host is wanted, and others are not any more.
    void want(String host, Collection<String> instead) {
        run(() -> {
            var through = subscriptions;
            if (through == null) {
                early.removeAll(instead);
                early.add(host);
                return;
            }
            if (!instead.isEmpty()) {
                instead.forEach(resources::forget);
                through.unsubscribe(Resources.VIRTUAL_HOST, instead);
            }
            through.subscribe(Resources.VIRTUAL_HOST, List.of(host));
        });
    }

    @Override
    public Applied apply(String type, List<Resource> updated, List<String> removed) {
        try {
            return thread.submit(() -> take(type, updated, removed)).get();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a plan was made");
        } catch (ExecutionException failed) {
            throw new IllegalStateException("a plan could not be made: " + failed.getCause(), failed);
        }
    }

    private Applied take(String type, List<Resource> updated, List<String> removed) {
        Map<String, Any> changed = new LinkedHashMap<>();
        updated.forEach(resource -> changed.put(resource.getName(), resource.getResource()));
        var rejected = new HashMap<String, String>();
        resources.apply(type, changed, removed).forEach(wrong -> rejected.put(wrong.name(), wrong.reason()));
        if (type.equals(Resources.LISTENER)) {
            listeners.addAll(changed.keySet());
            listeners.removeAll(rejected.keySet());
            listeners.removeAll(removed);
        }
        follow();
        warm();
        replace();
        return new Applied(rejected);
    }

    /// Asks for what is mentioned now, and no longer for what is not.
    private void follow() {
        var wanted = resources.wanted();
        follow(Resources.CLUSTER, clusters, wanted.clusters());
        follow(Resources.ASSIGNMENT, assignments, wanted.assignments());
    }

    private void follow(String type, Set<String> asked, Set<String> wanted) {
        var through = subscriptions;
        if (through == null) {
            return;
        }
        var more = wanted.stream().filter(name -> !asked.contains(name)).toList();
        var less = asked.stream().filter(name -> !wanted.contains(name)).toList();
        if (!more.isEmpty()) {
            through.subscribe(type, more);
        }
        if (!less.isEmpty()) {
            through.unsubscribe(type, less);
        }
        asked.addAll(more);
        less.forEach(asked::remove);
    }

    /// A new virtual host waits for its clusters, but not for ever.
    private void warm() {
        var now = resources.warming();
        warming.entrySet().removeIf(entry -> {
            boolean over = !now.contains(entry.getKey());
            if (over) {
                entry.getValue().cancel(false);
            }
            return over;
        });
        for (var host : now) {
            warming.computeIfAbsent(
                    host, _ -> thread.schedule(() -> waitedEnough(host), patience.toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    private void waitedEnough(String host) {
        warming.remove(host);
        resources.force(host);
        follow();
        replace();
    }

    private void replace() {
        var plan = resources.plan();
        ours.saw(plan.hosts());
        inForce.replace(new Generation(plan, resources.warming(), ours));
        listener.planned(plan, Set.copyOf(listeners));
    }

    private void run(Runnable task) {
        try {
            thread.execute(task);
        } catch (RejectedExecutionException _) {
            // Closed: nobody waits for it.
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
