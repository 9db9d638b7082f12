/// [dev.bodyguard.xds.client.AdsClient] and what its user hands it. One thread owns all state and makes every call
/// to the [dev.bodyguard.xds.client.Sink] and to the [dev.bodyguard.xds.client.Events].
@NullMarked
package dev.bodyguard.xds.client;

import org.jspecify.annotations.NullMarked;
