/// Linkerd's ServiceProfile, the TrafficSplit of SMI that goes with it, and Linkerd's inbound policies.
@NullMarked
package dev.bodyguard.dialect.linkerd;

import org.jspecify.annotations.NullMarked;
