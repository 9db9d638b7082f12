/// Which resources a client of xDS has, which it should have, and therefore what to tell it next: subscriptions,
/// versions, nonces, ACK and NACK, for the delta protocol and for state of the world. A state machine: it knows
/// nothing of sockets, threads or time, and takes any message type.
module dev.bodyguard.xds.snapshot {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.xds.protocol;

    exports dev.bodyguard.xds.snapshot;
}
