/// Linkerd's ServiceProfile, and the TrafficSplit of SMI that goes with it.
@NullMarked
package dev.bodyguard.dialect.linkerd;

import org.jspecify.annotations.NullMarked;
