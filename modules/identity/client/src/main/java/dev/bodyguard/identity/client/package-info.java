/// [dev.bodyguard.identity.client.LiveSvid] is an SVID that renews itself on a thread of its own;
/// [dev.bodyguard.identity.client.MeshChannel] opens gRPC channels that show it.
@NullMarked
package dev.bodyguard.identity.client;

import org.jspecify.annotations.NullMarked;
