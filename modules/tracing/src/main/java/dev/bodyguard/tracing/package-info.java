/// [dev.bodyguard.tracing.Tracing] gives tracers of OpenTelemetry's API. While it is on, OpenTelemetry's threads
/// export; whoever ends a span never waits for them.
@NullMarked
package dev.bodyguard.tracing;

import org.jspecify.annotations.NullMarked;
