package dev.bodyguard.proxy.engine;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is done with connections and requests for one of the application's ports.
public final class InboundRule {
    private static final Verdict.Allowed OPEN = new Verdict.Allowed("");

    private final int port;
    private final Security security;
    private final Hosts.Host host;
    private final CanonicalPath paths;
    private final List<Authorization> authorizations;
    private final RateLimits limits;
    private final Opaque opaque;
    private final @Nullable Ending ending;

    InboundRule(
            int port,
            Security security,
            Hosts.Host host,
            CanonicalPath paths,
            List<Authorization> authorizations,
            RateLimits limits,
            Opaque opaque,
            @Nullable Ending ending) {
        this.port = port;
        this.security = security;
        this.host = host;
        this.paths = paths;
        this.authorizations = List.copyOf(authorizations);
        this.limits = limits;
        this.opaque = opaque;
        this.ending = ending;
    }

    /// The same for one of several ports that it is about.
    InboundRule at(int number) {
        return new InboundRule(number, security, host, paths, authorizations, limits, opaque, ending);
    }

    /// The application's port.
    public int port() {
        return port;
    }

    /// Whether, and whose, TLS is asked of the peer.
    public Security security() {
        return security;
    }

    /// The TLS that ends here though it means the application; null where none does.
    public @Nullable Ending ending() {
        return ending;
    }

    /// Whether requests of a peer are heard at all.
    ///
    /// @param peer its SPIFFE id, null where it has none
    public boolean letsIn(@Nullable String peer) {
        return peer == null
                ? security.plaintext() || (ending != null && ending.forAnybody())
                : security.tls() && peer.startsWith(security.peers());
    }

    /// Leads to an `inbound|port||` cluster, whose endpoint is the application's address.
    public Routing route(RequestHead head) {
        return host.route(head);
    }

    /// A path, query included, normalised: what the application gets, and what rules are asked about in its
    /// [Spelling]; null where it cannot be.
    public @Nullable String canonical(String path) {
        return paths.of(path);
    }

    /// Whether the peer may make the request: every filter of the chain has to allow it.
    ///
    /// @param peer its SPIFFE id, null where it has none
    public Verdict authorize(@Nullable String peer, RequestHead head) {
        Verdict verdict = OPEN;
        var spelled = Spelling.of(head);
        for (int i = 0; i < authorizations.size(); i++) {
            verdict = authorizations.get(i).decide(peer, port, spelled);
            if (!(verdict instanceof Verdict.Allowed)) {
                return verdict;
            }
        }
        return verdict;
    }

    /// Counts the request against every limit that is about it.
    ///
    /// @param peer its SPIFFE id, null where it has none
    /// @param now nanoseconds of the process's clock
    public Admission admit(@Nullable String peer, RequestHead head, long now) {
        return limits.admit(peer, Spelling.of(head), now);
    }

    /// The limits that are about a request, as they stand; counts nothing.
    ///
    /// @param peer its SPIFFE id, null where it has none
    /// @param now nanoseconds of the process's clock
    public List<Admission.Limit> limits(@Nullable String peer, RequestHead head, long now) {
        return limits.about(peer, Spelling.of(head), now);
    }

    /// The cluster of the application, for bytes that are no HTTP; null where they are not let in. Rules that judge
    /// requests cannot judge bytes, so where there are any, nothing passes by them.
    ///
    /// @param peer the sender's SPIFFE id, null where it has none
    public @Nullable String opaque(@Nullable String peer) {
        if (!authorizations.isEmpty() || !limits.isEmpty()) {
            return null;
        }
        return peer == null ? opaque.unproven() : opaque.proven();
    }

    /// Clusters for bytes that are no HTTP, of those who proved who they are and of all others; null where they are not
    /// let in.
    record Opaque(@Nullable String proven, @Nullable String unproven) {}

    Set<String> clusters() {
        return host.clusters();
    }

    /// TLS that ends here.
    ///
    /// @param forAnybody also that of those who prove no identity of the mesh, in place of plaintext
    public record Ending(Certificate certificate, boolean forAnybody) {}

    /// A certificate of the workload's own, by the names of SDS secrets.
    ///
    /// @param clients the roots by which clients prove themselves; null where they need not
    public record Certificate(String name, @Nullable String clients) {}

    /// What an inbound port asks of a connection.
    ///
    /// @param tls accepted at all
    /// @param plaintext accepted at all; STRICT is TLS without plaintext
    /// @param peers every accepted SPIFFE id begins with this; empty where any trusted one does
    /// @param announced what of ALPN tells peers from those who mean the application's TLS; empty: all are peers
    public record Security(boolean tls, boolean plaintext, String peers, Set<String> announced) {
        public Security {
            announced = Set.copyOf(announced);
        }
    }
}
