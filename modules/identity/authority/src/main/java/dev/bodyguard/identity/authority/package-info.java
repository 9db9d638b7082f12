/// Signing: a root that is made once and kept, leaves that name one SPIFFE id each, and a journal of them.
@NullMarked
package dev.bodyguard.identity.authority;

import org.jspecify.annotations.NullMarked;
