/// Exchanges counted, timed and written down.
///
/// An [Edge] is interned once per pair of workloads and gives its [EdgeMeters]; an exchange then only finds a series
/// by its code and adds to it, from any thread. [Meters] writes everything as Prometheus text, [AccessLine] one
/// [Exchange] as a line of JSON, [Otlp] both as OpenTelemetry has them.
@NullMarked
package dev.bodyguard.telemetry.record;

import org.jspecify.annotations.NullMarked;
