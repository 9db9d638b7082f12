/// Follows a control plane by delta xDS on one aggregated stream: subscribes, takes what comes, says what was wrong
/// with it, and comes back after every loss without asking again for what it has. Knows nothing of what the
/// resources mean.
module dev.bodyguard.xds.client {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.xds.protocol;

    exports dev.bodyguard.xds.client;
}
