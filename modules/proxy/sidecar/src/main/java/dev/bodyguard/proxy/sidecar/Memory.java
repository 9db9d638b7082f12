package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.xds.client.Applied;
import dev.bodyguard.xds.client.Sink;
import dev.bodyguard.xds.protocol.sidecar.v1.RememberedPlan;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Remembers what the control plane sent and the planner took, in a file, so that a sidecar that starts while no
/// control plane answers serves as it did before.
///
/// Stands between the configuration stream and the planner: what is applied is kept, what is unsubscribed from is
/// forgotten. The first change is written within a second, later ones at most every ten seconds, and at once where the
/// control plane is lost or the process ends. Once an hour the control plane's silence on a live stream counts as a
/// confirmation.
final class Memory implements Sink, AutoCloseable {
    private static final Pace USUAL = new Pace(Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofHours(1));

    /// What mentions others comes first, for the planner forgets what nothing mentions.
    private static final List<String> ORDER =
            List.of(Resources.LISTENER, Resources.VIRTUAL_HOST, Resources.CLUSTER, Resources.ASSIGNMENT);

    /// When it is written.
    ///
    /// @param soon how long the first change waits, and what comes with it
    /// @param seldom how long later ones do
    /// @param confirmation after how long what was not changed counts as said anew
    record Pace(Duration soon, Duration seldom, Duration confirmation) {}

    private final Sink planner;
    private final PlanFile file;
    private final Supplier<@Nullable Svid> seal;
    private final Duration seldom;
    private final BooleanSupplier followsConfig;
    private final SidecarLog log;
    private final Map<String, Map<String, Resource>> kept = new LinkedHashMap<>();
    private final ScheduledExecutorService writer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("memory").daemon(true).factory());
    // Guarded by this.
    private boolean due;
    private Duration pause;

    /// @param seal the SVID to seal with, once there is one
    /// @param followsConfig whether the configuration stream lives
    Memory(Sink planner, PlanFile file, Supplier<@Nullable Svid> seal, BooleanSupplier followsConfig, SidecarLog log) {
        this(planner, file, seal, followsConfig, log, USUAL);
    }

    Memory(
            Sink planner,
            PlanFile file,
            Supplier<@Nullable Svid> seal,
            BooleanSupplier followsConfig,
            SidecarLog log,
            Pace pace) {
        this.planner = planner;
        this.file = file;
        this.seal = seal;
        this.followsConfig = followsConfig;
        this.log = log;
        this.pause = pace.soon();
        this.seldom = pace.seldom();
        ORDER.forEach(type -> kept.put(type, new TreeMap<>()));
        long confirmation = pace.confirmation().toMillis();
        var _ = writer.scheduleWithFixedDelay(this::confirm, confirmation, confirmation, TimeUnit.MILLISECONDS);
    }

    /// Puts in force what is remembered, where that may be believed.
    ///
    /// @return the virtual hosts among it, to be asked for anew; empty where there is nothing to believe
    Optional<List<String>> resume(TrustBundle roots) {
        RememberedPlan plan;
        try {
            var read = file.read(roots);
            if (read.isEmpty()) {
                return Optional.empty();
            }
            plan = read.get();
        } catch (IOException notBelieved) {
            log.notRemembered(file.file(), String.valueOf(notBelieved.getMessage()));
            return Optional.empty();
        }
        for (var kind : plan.getKindsList()) {
            apply(kind.getTypeUrl(), kind.getResourcesList(), List.of());
        }
        log.remembered(plan.getWrittenAt());
        synchronized (this) {
            return Optional.of(List.copyOf(kept(Resources.VIRTUAL_HOST).keySet()));
        }
    }

    @Override
    public Applied apply(String type, List<Resource> updated, List<String> removed) {
        var applied = planner.apply(type, updated, removed);
        synchronized (this) {
            var ofType = kept(type);
            for (var resource : updated) {
                if (!applied.rejected().containsKey(resource.getName())) {
                    ofType.put(resource.getName(), resource);
                }
            }
            removed.forEach(ofType::remove);
            changed();
        }
        return applied;
    }

    /// The subscriptions behind it, with what they give up forgotten here too.
    Planner.Subscriptions behind(Planner.Subscriptions subscriptions) {
        return new Planner.Subscriptions() {
            @Override
            public void subscribe(String type, Collection<String> names) {
                subscriptions.subscribe(type, names);
            }

            @Override
            public void unsubscribe(String type, Collection<String> names) {
                subscriptions.unsubscribe(type, names);
                synchronized (Memory.this) {
                    kept(type).keySet().removeAll(names);
                    changed();
                }
            }
        };
    }

    private Map<String, Resource> kept(String type) {
        return kept.computeIfAbsent(type, _ -> new TreeMap<>());
    }

    private synchronized void changed() {
        // What was only remembered is not written again as if it had been confirmed.
        if (!due && followsConfig.getAsBoolean()) {
            due = true;
            var _ = writer.schedule(this::writeWhatIsDue, pause.toMillis(), TimeUnit.MILLISECONDS);
            pause = seldom;
        }
    }

    /// Config is lost: what it said last is what there will be.
    void settle() {
        writer.execute(this::writeWhatIsDue);
    }

    private void writeWhatIsDue() {
        boolean any;
        synchronized (this) {
            any = due;
        }
        if (any) {
            write();
        }
    }

    private void confirm() {
        if (followsConfig.getAsBoolean()) {
            write();
        }
    }

    private void write() {
        var svid = seal.get();
        var kinds = new ArrayList<RememberedPlan.Kind>();
        synchronized (this) {
            due = false;
            kept.forEach((type, resources) -> kinds.add(RememberedPlan.Kind.newBuilder()
                    .setTypeUrl(type)
                    .addAllResources(resources.values())
                    .build()));
        }
        if (svid == null) {
            return;
        }
        try {
            file.write(kinds, svid);
        } catch (IOException notWritten) {
            log.notWritten(file.file(), String.valueOf(notWritten.getMessage()));
        }
    }

    /// Writes what is due.
    @Override
    public void close() {
        writer.shutdownNow();
        writeWhatIsDue();
    }
}
