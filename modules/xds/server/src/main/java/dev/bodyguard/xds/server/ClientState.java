package dev.bodyguard.xds.server;

import java.util.Map;

/// How far a client has come.
///
/// @param offered the newest generation that was sent (where there was anything to send)
/// @param settled whether it has answered everything that was sent
/// @param refused per type URL: resource to reason, for what it did not take
public record ClientState(Client client, String offered, boolean settled, Map<String, Map<String, String>> refused) {
    public ClientState {
        refused = Map.copyOf(refused);
    }

    /// Everything of the offered generation that concerns this client is in force there.
    public boolean inForce() {
        return settled && refused.isEmpty();
    }
}
