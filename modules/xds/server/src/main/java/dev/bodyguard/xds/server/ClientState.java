package dev.bodyguard.xds.server;

import java.util.Map;

/// How far a client has come.
///
/// @param offered the newest generation that was sent (where there was anything to send)
/// @param settled whether it has answered everything that was sent
/// @param answers per type URL that it asked for: what it said to the responses
/// @param refused per type URL: resource to reason, for what it did not take
public record ClientState(
        Client client,
        String offered,
        boolean settled,
        Map<String, Answers> answers,
        Map<String, Map<String, String>> refused) {
    /// How many responses of one type a client took whole, and how many it did not, since its stream began.
    public record Answers(int acked, int nacked) {
        static final Answers NONE = new Answers(0, 0);

        Answers and(Answers more) {
            return new Answers(acked + more.acked, nacked + more.nacked);
        }
    }

    public ClientState {
        answers = Map.copyOf(answers);
        refused = Map.copyOf(refused);
    }

    /// Everything of the offered generation that concerns this client is in force there.
    public boolean inForce() {
        return settled && refused.isEmpty();
    }
}
