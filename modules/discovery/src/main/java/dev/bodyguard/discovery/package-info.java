/// The discovery service. It decides who is in the mesh ([dev.bodyguard.discovery.Admission],
/// [dev.bodyguard.discovery.Leases]) and hands on what authors wrote; what that means is for config to know.
///
/// Threads: one reads the directory, one ([dev.bodyguard.discovery.Catalogue]) owns all that is served, each stream of
/// a subscriber has its own (xds.server), and gRPC's threads only leave messages.
@NullMarked
package dev.bodyguard.discovery;

import org.jspecify.annotations.NullMarked;
