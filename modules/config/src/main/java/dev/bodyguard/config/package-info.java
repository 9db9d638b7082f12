/// The config service. It decides which form of each document is in force and what each proxy may see; how a rule
/// reads in xDS is the compiler's business.
///
/// Threads: discovery's client has one ([dev.bodyguard.config.Feed]) and only leaves messages;
/// [dev.bodyguard.config.Mesher] has the one that owns documents, workloads and the mesh; each proxy's stream has its
/// own and asks the compiler there.
@NullMarked
package dev.bodyguard.config;

import org.jspecify.annotations.NullMarked;
