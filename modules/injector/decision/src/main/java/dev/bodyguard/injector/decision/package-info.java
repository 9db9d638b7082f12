/// [dev.bodyguard.injector.decision.Injection] decides on one pod and answers a
/// [dev.bodyguard.injector.decision.Decision], whose edits are written in two ways:
/// [dev.bodyguard.injector.decision.JsonPatch] for the admission webhook, and
/// [dev.bodyguard.injector.decision.Manifests] into YAML or JSON that somebody wrote.
///
/// All of it is immutable or lives for one call: any thread may use it.
@NullMarked
package dev.bodyguard.injector.decision;

import org.jspecify.annotations.NullMarked;
