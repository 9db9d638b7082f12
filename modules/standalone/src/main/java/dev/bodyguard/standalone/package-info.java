/// `bodyguard run`: identity, discovery, config and telemetry in one process, each on a port of its own and talking to
/// the others as it would over a network.
///
/// [dev.bodyguard.standalone.Main] starts and ends; [dev.bodyguard.standalone.ControlPlane] is the wiring;
/// [dev.bodyguard.standalone.StateFolder] is what sidecars find on disk. No thread of its own but the one that ends it.
@NullMarked
package dev.bodyguard.standalone;

import org.jspecify.annotations.NullMarked;
