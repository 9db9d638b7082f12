package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.Svid;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/// A service of the control plane that has joined its mesh; its SVID is renewed for as long as this is open.
public final class Member implements AutoCloseable {
    private final Membership membership;
    private final LiveSvid live;
    private final InstantSource clock;

    /// @param live has its first SVID
    Member(Membership membership, LiveSvid live, InstantSource clock) {
        this.membership = membership;
        this.live = live;
        this.clock = clock;
    }

    /// The SVID in force.
    public Svid svid() {
        return Objects.requireNonNull(live.current(), "a member that has joined has an SVID");
    }

    /// Why there is no new SVID although one is due; empty while all is well.
    public Optional<String> trouble() {
        return live.trouble();
    }

    /// A way to another service of the control plane, as this one.
    ///
    /// @param serviceAccount who must answer
    /// @param onRefused hears why somebody else was not accepted
    public MeshChannel to(String serviceAccount, Consumer<String> onRefused) {
        return new MeshChannel(
                membership.id(serviceAccount),
                () -> svid().bundle(),
                live::current,
                refused -> onRefused.accept(refused.sentence()),
                clock);
    }

    @Override
    public void close() {
        live.close();
    }
}
