/// The frame of a service's process: [dev.bodyguard.service.Keys] become its settings,
/// [dev.bodyguard.service.Lifecycle] starts and ends it, [dev.bodyguard.service.Admin] answers operators.
///
/// No thread of its own but the one that ends the process; requests of the admin port run on virtual threads.
@NullMarked
package dev.bodyguard.service;

import org.jspecify.annotations.NullMarked;
