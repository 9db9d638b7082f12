package dev.bodyguard.xds.client;

import java.time.Duration;
import java.util.Map;

/// What can happen to a client. Called on the client's own thread.
public interface Events {
    /// The control plane answers: its first response on a new stream has come in.
    default void connected() {}

    /// The stream is gone, or could not be opened. What was received stays in force.
    ///
    /// @param why for people
    /// @param retryIn when the next attempt is made
    default void lost(String why, Duration retryIn) {}

    /// A batch has come in; the sink is called next.
    ///
    /// @param generation as the control plane calls it, to tell people of it; nothing may be decided by it
    default void received(String typeUrl, String generation) {}

    /// These resources were rejected by the sink; the control plane has been told.
    default void nacked(String typeUrl, Map<String, String> rejected) {}

    static Events none() {
        return new Events() {};
    }
}
