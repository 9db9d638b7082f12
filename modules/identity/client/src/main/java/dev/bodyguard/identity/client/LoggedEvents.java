package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.Svid;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// One line per event.
public final class LoggedEvents implements Events {
    private final Logger log;

    public LoggedEvents(Logger log) {
        this.log = log;
    }

    @Override
    public void rotated(Svid svid) {
        log.log(Level.INFO, "identity: now " + svid);
    }

    @Override
    public void resumed(Svid svid) {
        log.log(Level.INFO, "identity: resumed as " + svid);
    }

    @Override
    public void notResumed(Path file, String why) {
        log.log(Level.INFO, "identity: the SVID in " + file + " is not used: " + why + "; fetching a new one");
    }

    @Override
    public void notKept(Path file, String why) {
        log.log(Level.WARNING, "identity: the new SVID is in force but not kept in " + file + ": " + why);
    }

    @Override
    public void failed(String why, @Nullable Svid old, Duration nextTry) {
        log.log(
                Level.WARNING,
                "identity: no new certificate: " + why + "; "
                        + (old == null
                                ? "there is none yet"
                                : "serial " + old.serial() + " stays in use until " + old.expiresAt())
                        + "; next try in " + nextTry.toMillis() + " ms");
    }

    @Override
    public void expired(Svid svid) {
        log.log(
                Level.ERROR,
                "identity: the certificate of " + svid.id() + " expired at " + svid.expiresAt()
                        + ": peers refuse it until the identity service is reached again");
    }
}
