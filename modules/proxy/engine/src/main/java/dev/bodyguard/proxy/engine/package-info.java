/// What happens to a request, decided without I/O.
///
/// [Resources] takes what the control plane sent and yields a [Plan]; a request asks the plan once and finishes on
/// it. `Resources` belongs to one thread; a `Plan` and everything reached from it may be used by any number of event
/// loops. What must outlive a plan (requests in flight, ejections) is in [Loads].
@NullMarked
package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.NullMarked;
