package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The SVID of a server that lives in the authority's process, renewed at 2/3 of its life for as long as it is open.
public final class ServerSvid implements Supplier<Svid>, AutoCloseable {
    /// The namespace of the control plane's own service accounts.
    public static final String NAMESPACE = "bodyguard-system";

    private static final Duration LONGEST_NAP = Duration.ofSeconds(30);
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    private final Authority authority;
    private final Events events;
    private final InstantSource clock;
    private final Consumer<Svid> onRenewed;
    private final Thread thread;
    private volatile Svid current;

    private ServerSvid(Authority authority, Svid first, Events events, InstantSource clock, Consumer<Svid> onRenewed) {
        this.authority = authority;
        this.current = first;
        this.events = events;
        this.clock = clock;
        this.onRenewed = onRenewed;
        this.thread =
                Thread.ofVirtual().name("svid-" + first.id().serviceAccount()).unstarted(this::run);
    }

    /// Issues the first one and keeps it fresh.
    ///
    /// @param serviceAccount `config`, `identity`, `discovery` or `telemetry`, in the control plane's namespace
    /// @param onRenewed hears of each later one, to reload a server that does not ask [#get()] each time
    public static ServerSvid start(
            Authority authority, String serviceAccount, Events events, InstantSource clock, Consumer<Svid> onRenewed)
            throws IOException {
        var id = id(authority.bundle().trustDomain(), serviceAccount);
        var first = authority.issue(id, Duration.ZERO, ServerNames.loopback());
        events.renewed(first);
        var server = new ServerSvid(authority, first, events, clock, onRenewed);
        server.thread.start();
        return server;
    }

    /// `spiffe://<trust domain>/ns/bodyguard-system/sa/<service account>`
    public static SpiffeId id(String trustDomain, String serviceAccount) {
        return SpiffeId.ofServiceAccount(trustDomain, NAMESPACE, serviceAccount);
    }

    /// The SVID in force.
    @Override
    public Svid get() {
        return current;
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        try {
            while (true) {
                var old = current;
                var life = Duration.between(old.issuedAt(), old.expiresAt());
                var rest = Duration.between(
                        clock.instant(),
                        old.issuedAt().plus(life.multipliedBy(2).dividedBy(3)));
                if (rest.isPositive()) {
                    // By naps, since a clock may be set and a laptop may be closed.
                    Thread.sleep((rest.compareTo(LONGEST_NAP) > 0 ? LONGEST_NAP : rest).plusNanos(999_999));
                } else {
                    renew(old);
                }
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private void renew(Svid old) throws InterruptedException {
        try {
            var next = authority.issue(old.id(), Duration.ZERO, ServerNames.loopback());
            current = next;
            onRenewed.accept(next);
            events.renewed(next);
        } catch (IOException | RuntimeException failed) {
            events.notRenewed(old, failed, AFTER_FAILURE);
            Thread.sleep(AFTER_FAILURE);
        }
    }
}
