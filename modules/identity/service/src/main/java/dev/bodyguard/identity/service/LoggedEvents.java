package dev.bodyguard.identity.service;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import io.grpc.Status;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;

/// One line per event.
public final class LoggedEvents implements Events {
    private final Logger log;

    public LoggedEvents(Logger log) {
        this.log = log;
    }

    @Override
    public void issued(SpiffeId id, String serial, Instant until, String peer) {
        log.log(Level.INFO, "issued " + id + " serial " + serial + " until " + until + " to " + peer);
    }

    @Override
    public void refused(String wanted, Status.Code code, String why, String peer) {
        log.log(Level.WARNING, "refused " + wanted + " to " + peer + ": " + why + " (" + code + ")");
    }

    @Override
    public void failed(String wanted, Throwable cause, String peer) {
        log.log(Level.ERROR, "could not sign " + wanted + " for " + peer + ": " + cause, cause);
    }

    @Override
    public void renewed(Svid svid) {
        log.log(Level.INFO, "the control plane's own " + svid);
    }

    @Override
    public void notRenewed(Svid old, Throwable cause, Duration nextTry) {
        log.log(
                Level.ERROR,
                "no new certificate for the control plane's own " + old + ": " + cause + "; next try in "
                        + nextTry.toSeconds() + " s");
    }
}
