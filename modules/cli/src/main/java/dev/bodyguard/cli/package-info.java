/// The commands a person types. `demo` runs a whole mesh on one machine: [Demo] starts the processes, [Supervisor]
/// keeps them running, [Traffic] calls the entry, [Scrapes] asks the sidecars what they saw, and [Table] shows it.
///
/// Threads: the main thread starts, shows and stops; one virtual thread per caller of [Traffic]; the supervisor's
/// one thread restarts what died.
@NullMarked
package dev.bodyguard.cli;

import org.jspecify.annotations.NullMarked;
