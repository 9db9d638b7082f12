package dev.bodyguard.identity.service;

import dev.bodyguard.identity.spiffe.JoinKey;
import dev.bodyguard.identity.spiffe.JoinToken;

/// Tokens that were made with the mesh's own join key.
record JoinTokens(JoinKey key) implements Tokens {
    @Override
    public Admission judge(String token, String from) {
        return switch (key.verify(new JoinToken(token))) {
            case JoinKey.Admitted(var namespace, var account) -> new Admitted(namespace, account, "");
            case JoinKey.Refused(var why) -> new Refused(why);
        };
    }
}
