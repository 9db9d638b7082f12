package dev.bodyguard.proxy.engine;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One address of a cluster. Compared by identity; its load and its failures are shared with the same address
/// in later plans.
public final class Endpoint {
    private final String host;
    private final int port;
    private final int weight;
    private final Workload workload;
    private final Transport transport;
    private final boolean healthy;
    private final AtomicInteger load;
    private final @Nullable Watch watch;

    Endpoint(
            String host,
            int port,
            int weight,
            Workload workload,
            Transport transport,
            boolean healthy,
            AtomicInteger load,
            @Nullable Watch watch) {
        this.host = host;
        this.port = port;
        this.weight = weight;
        this.workload = workload;
        this.transport = transport;
        this.healthy = healthy;
        this.load = load;
        this.watch = watch;
    }

    /// An IP address, or a name to resolve where the cluster is a DNS one.
    public String host() {
        return host;
    }

    public int port() {
        return port;
    }

    /// `127.0.0.1:8080`
    public String address() {
        return host + ":" + port;
    }

    public int weight() {
        return weight;
    }

    /// Who is there, as far as the control plane said.
    public Workload workload() {
        return workload;
    }

    public Transport transport() {
        return transport;
    }

    /// Whether the control plane reports it fit for traffic.
    public boolean healthy() {
        return healthy;
    }

    /// A request to it begins; every one ends with [#requestEnded()].
    public void requestStarted() {
        load.incrementAndGet();
    }

    public void requestEnded() {
        load.decrementAndGet();
    }

    /// Its counter, one and the same in every plan that has it.
    AtomicInteger load() {
        return load;
    }

    /// Requests under way, of all event loops.
    public int active() {
        return load.get();
    }

    /// A request's connection is there.
    public void connected() {
        if (watch != null) {
            watch.connected();
        }
    }

    /// A connection is there for bytes of which nobody will know how they were answered.
    public void carries() {
        if (watch != null) {
            watch.carries();
        }
    }

    /// An attempt ended by what it did or did not do; too many failures in a row have it ejected.
    public void heard(Outcome outcome) {
        if (watch != null) {
            watch.heard(outcome);
        }
    }

    /// Null while it is in service.
    public Ejection.@Nullable Ongoing ejection() {
        return watch == null ? null : watch.ejection();
    }

    boolean isEjected() {
        return watch != null && watch.isEjected();
    }

    @Override
    public String toString() {
        return address();
    }

    /// Facts about a workload; empty where not known.
    ///
    /// @param principal its SPIFFE id without the scheme
    public record Workload(
            String name, String namespace, String app, String version, String serviceAccount, String principal) {
        /// Nothing is known.
        public static final Workload UNKNOWN = new Workload("", "", "", "", "", "");
    }
}
