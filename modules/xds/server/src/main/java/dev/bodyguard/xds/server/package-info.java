/// Serves xDS: [dev.bodyguard.xds.server.AggregatedDiscovery] is the gRPC service,
/// [dev.bodyguard.xds.server.GrpcServer] puts it and others on a port.
///
/// Each stream has one virtual thread of its own that owns the stream's session and is the only one to write to it.
/// Others leave messages for it.
@NullMarked
package dev.bodyguard.xds.server;

import org.jspecify.annotations.NullMarked;
