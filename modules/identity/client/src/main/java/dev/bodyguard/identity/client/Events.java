package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.Svid;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What can happen to a workload's SVID. Called on its renewal thread.
public interface Events {
    /// A new SVID is in force, the first one too.
    default void rotated(Svid svid) {}

    /// An SVID kept from an earlier life of this process is in force.
    default void resumed(Svid svid) {}

    /// What was kept could not be used; the way out is a new one, which is being fetched.
    default void notResumed(Path file, String why) {}

    /// The new SVID works but could not be kept for the next life of this process.
    default void notKept(Path file, String why) {}

    /// No new SVID this time.
    ///
    /// @param old what stays in force, until its `expiresAt`; null where there is none yet
    default void failed(String why, @Nullable Svid old, Duration nextTry) {}

    /// The SVID in force expired: peers refuse it from now on. The renewal goes on.
    default void expired(Svid svid) {}

    /// Both hear everything, the first one first.
    static Events both(Events first, Events second) {
        return new Events() {
            @Override
            public void rotated(Svid svid) {
                first.rotated(svid);
                second.rotated(svid);
            }

            @Override
            public void resumed(Svid svid) {
                first.resumed(svid);
                second.resumed(svid);
            }

            @Override
            public void notResumed(Path file, String why) {
                first.notResumed(file, why);
                second.notResumed(file, why);
            }

            @Override
            public void notKept(Path file, String why) {
                first.notKept(file, why);
                second.notKept(file, why);
            }

            @Override
            public void failed(String why, @Nullable Svid old, Duration nextTry) {
                first.failed(why, old, nextTry);
                second.failed(why, old, nextTry);
            }

            @Override
            public void expired(Svid svid) {
                first.expired(svid);
                second.expired(svid);
            }
        };
    }
}
