/// What sidecars report, gathered: OTLP in from members of the mesh, the summary and Prometheus out, spans handed on to
/// Zipkin or by OTLP.
///
/// [dev.bodyguard.telemetry.service.TelemetryService] is the wiring. Reports are parsed on Helidon's virtual threads
/// ([dev.bodyguard.telemetry.service.Intake]) and counted in [dev.bodyguard.telemetry.service.Topology], which locks
/// itself; each [dev.bodyguard.telemetry.service.Exporter] has a thread of its own. Nothing is kept on disk: counters
/// are cumulative, so a restart learns them again from the sidecars.
@NullMarked
package dev.bodyguard.telemetry.service;

import org.jspecify.annotations.NullMarked;
