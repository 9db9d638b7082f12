package dev.bodyguard.identity.service;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import io.grpc.Status;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// One line per event.
public final class LoggedEvents implements Events {
    private static final int MOST_NAMED = 10;

    private final Logger log;

    public LoggedEvents(Logger log) {
        this.log = log;
    }

    @Override
    public void issued(SpiffeId id, String serial, Instant until, String peer, Duration took) {
        log.log(Level.INFO, "issued " + id + " serial " + serial + " until " + until + " to " + peer);
    }

    @Override
    public void refused(String wanted, Status.Code code, String why, String peer) {
        log.log(Level.WARNING, "refused " + wanted + " to " + peer + ": " + why + " (" + code + ")");
    }

    @Override
    public void failed(String wanted, Throwable cause, String peer, Duration took) {
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

    @Override
    public void rootNotReached(String where, String why) {
        log.log(Level.WARNING, "waiting for the root in " + where + ": " + why);
    }

    @Override
    public void rootsWritten(List<String> namespaces) {
        var some = String.join(", ", namespaces.subList(0, Math.min(MOST_NAMED, namespaces.size())));
        log.log(
                Level.INFO,
                "the mesh's roots are in " + namespaces.size()
                        + (namespaces.size() == 1 ? " namespace more: " : " namespaces more: ") + some
                        + (namespaces.size() > MOST_NAMED ? ", …" : ""));
    }

    @Override
    public void rootsNotWritten(String namespace, String why) {
        log.log(Level.WARNING, "the mesh's roots are not in namespace " + namespace + ": " + why);
    }
}
