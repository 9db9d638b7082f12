package dev.bodyguard.xds.server;

import dev.bodyguard.xds.snapshot.Heard;

/// What can happen here. Called on the stream's own thread; must not block for long.
public interface Events {
    /// A client said who it is and is being served.
    default void connected(Client client) {}

    /// Its stream is over.
    default void disconnected(Client client, String why) {}

    /// A client was not served, or no longer: the sentence was sent to it.
    default void refused(Client client, String why) {}

    /// It asks faster than it is answered, so its transport holds it back from now on; told once of each stream.
    default void heldBack(Client client, int waitingBytes) {}

    /// A new generation changes something for it: it is sent so many responses, each of which it will take or refuse.
    default void pushing(Client client, String generation, int responses) {}

    /// It took a response.
    default void acked(Client client, Heard.Acked what) {}

    /// It refused (part of) a response.
    default void nacked(Client client, Heard.Nacked what) {}

    /// Our own failure: a defect here or in [Views]; the stream ends with INTERNAL.
    default void failed(Client client, Throwable cause) {}

    static Events none() {
        return new Events() {};
    }
}
