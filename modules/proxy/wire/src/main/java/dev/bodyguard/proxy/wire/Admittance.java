package dev.bodyguard.proxy.wire;

import java.net.InetSocketAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Decides what a captured connection to the workload may speak; one per listener, called on many loops.
@FunctionalInterface
public interface Admittance {
    /// Asked once for each connection, before anything of it is read; must not block.
    ///
    /// @param meant where the peer connected to: an address of this machine, and the app's port
    Speech of(InetSocketAddress meant);

    /// What is let in.
    sealed interface Speech {
        /// Mutual TLS, by which the peer proves who it is, and nothing else.
        ///
        /// @param inside by which the TLS ends that a peer's bytes turn out to be; null where bytes are bytes
        record MutualTls(@Nullable AppTls inside) implements Speech {}

        /// Mutual TLS where the peer offers it, otherwise whatever it speaks, by nobody in particular.
        ///
        /// @param announced what of ALPN tells that from the app's own TLS; empty: any TLS is a peer's
        record Anything(Set<String> announced) implements Speech {}

        /// Whatever it speaks, by nobody in particular.
        record Plaintext() implements Speech {}

        /// TLS by a certificate of the app's own, which ends here; what is in it is of nobody in particular.
        ///
        /// @param announced what of ALPN tells the mutual TLS of peers, who may come too; empty: they do not
        record EndedTls(AppTls tls, Set<String> announced) implements Speech {}

        /// Nothing.
        ///
        /// @param sentence why, for the log
        record Nothing(String sentence) implements Speech {}
    }
}
