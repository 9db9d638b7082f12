/// The telemetry service's place: a port with readiness and its own metrics, and nothing behind it yet. Spans, RED
/// metrics and the topology will arrive here; until then sidecars serve their own metrics and nobody sends anything.
///
/// Requests run on Helidon's virtual threads; there is no state to own.
@NullMarked
package dev.bodyguard.telemetry.service;

import org.jspecify.annotations.NullMarked;
