/// The two state machines of xDS, [dev.bodyguard.xds.snapshot.DeltaSession] and
/// [dev.bodyguard.xds.snapshot.FullSession], and the [dev.bodyguard.xds.snapshot.Resources] that they serve.
///
/// A session belongs to one stream and to one thread. Resources are immutable views that any thread may read.
@NullMarked
package dev.bodyguard.xds.snapshot;

import org.jspecify.annotations.NullMarked;
