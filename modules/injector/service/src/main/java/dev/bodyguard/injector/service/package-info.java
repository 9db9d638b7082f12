/// What the API server asks before it keeps a pod: `POST /inject` by TLS, answered with a patch, a refusal, or neither.
///
/// Requests run on virtual threads and share nothing but counters. One thread of its own keeps the certificate
/// authority in the webhook's configuration right.
@NullMarked
package dev.bodyguard.injector.service;

import org.jspecify.annotations.NullMarked;
