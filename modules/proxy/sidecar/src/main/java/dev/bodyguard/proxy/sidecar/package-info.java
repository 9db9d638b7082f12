/// The process beside each app: every request the app makes or answers passes through here.
///
/// It decides what happens to one exchange, by asking the [plan][dev.bodyguard.proxy.engine] in force and moving
/// bytes with [wire][dev.bodyguard.proxy.wire]. It does not know what an author wrote, which services exist, or how
/// certificates are signed: those arrive as xDS resources and SVIDs.
///
/// A request runs through one page: [OutboundPath] for what the app calls, [InboundPath] for what calls the app.
///
/// Threads: the event loops carry exchanges and never block; `planner` compiles plans; `access-log` writes lines;
/// `enrolment` keeps the workload registered; `admin` answers operators; gRPC and the identity client bring their own.
@NullMarked
package dev.bodyguard.proxy.sidecar;

import org.jspecify.annotations.NullMarked;
