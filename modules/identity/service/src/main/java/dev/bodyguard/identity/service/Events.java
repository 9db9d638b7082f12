package dev.bodyguard.identity.service;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// What can happen here. Called on whichever thread serves the call.
public interface Events {
    /// A certificate was signed.
    ///
    /// @param took since it was asked for
    default void issued(SpiffeId id, String serial, Instant until, String peer, Duration took) {}

    /// A request was not granted; its sender was told the same sentence.
    ///
    /// @param wanted namespace/service-account as the caller wrote it, made printable
    default void refused(String wanted, Status.Code code, String why, String peer) {}

    /// Our own failure, such as a full disk under the journal.
    ///
    /// @param took since it was asked for
    default void failed(String wanted, Throwable cause, String peer, Duration took) {}

    /// A server of the control plane has a new certificate of its own.
    default void renewed(Svid svid) {}

    /// A server of the control plane could not get a new certificate of its own; the old one stays.
    default void notRenewed(Svid old, Throwable cause, Duration nextTry) {}

    /// The root is kept where nobody answers; it is asked for again.
    default void rootNotReached(String where, String why) {}

    /// From now on the mesh's roots stand in the ConfigMap of these namespaces.
    default void rootsWritten(List<String> namespaces) {}

    /// They do not in this one, whose pods cannot join; it is tried again.
    default void rootsNotWritten(String namespace, String why) {}

    /// Each hears everything, in this order.
    static Events all(List<Events> listeners) {
        var all = List.copyOf(listeners);
        return new Events() {
            @Override
            public void issued(SpiffeId id, String serial, Instant until, String peer, Duration took) {
                all.forEach(listener -> listener.issued(id, serial, until, peer, took));
            }

            @Override
            public void refused(String wanted, Status.Code code, String why, String peer) {
                all.forEach(listener -> listener.refused(wanted, code, why, peer));
            }

            @Override
            public void failed(String wanted, Throwable cause, String peer, Duration took) {
                all.forEach(listener -> listener.failed(wanted, cause, peer, took));
            }

            @Override
            public void renewed(Svid svid) {
                all.forEach(listener -> listener.renewed(svid));
            }

            @Override
            public void notRenewed(Svid old, Throwable cause, Duration nextTry) {
                all.forEach(listener -> listener.notRenewed(old, cause, nextTry));
            }

            @Override
            public void rootNotReached(String where, String why) {
                all.forEach(listener -> listener.rootNotReached(where, why));
            }

            @Override
            public void rootsWritten(List<String> namespaces) {
                all.forEach(listener -> listener.rootsWritten(namespaces));
            }

            @Override
            public void rootsNotWritten(String namespace, String why) {
                all.forEach(listener -> listener.rootsNotWritten(namespace, why));
            }
        };
    }
}
