package dev.bodyguard.identity.spiffe;

import java.util.Set;

/// Whom to accept among those whose chain proves an id of our trust domain.
public sealed interface AcceptedPeers {
    /// Every member of the bundle's trust domain: a server, which leaves the rest to authorization.
    record EveryMember() implements AcceptedPeers {}

    /// Exactly these: a client, which knows the service accounts of its destination. None is accepted of an empty set.
    record OneOf(Set<SpiffeId> ids) implements AcceptedPeers {
        public OneOf {
            ids = Set.copyOf(ids);
        }

        public OneOf(SpiffeId only) {
            this(Set.of(only));
        }
    }
}
