package dev.bodyguard.xds.snapshot;

import java.util.List;

/// What a client said about a response.
public sealed interface Heard {
    String typeUrl();

    /// The client took the whole response.
    record Acked(String typeUrl, String generation) implements Heard {}

    /// The client kept something of what it had before.
    ///
    /// @param names what was in the response that it complains about
    /// @param why its own words, shortened if it went on for too long
    record Nacked(String typeUrl, String generation, List<String> names, String why) implements Heard {
        public Nacked {
            names = List.copyOf(names);
        }
    }
}
