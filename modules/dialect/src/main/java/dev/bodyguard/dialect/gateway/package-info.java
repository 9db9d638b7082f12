/// Gateway API, as far as it speaks of a mesh: routes whose parent is a Service.
@NullMarked
package dev.bodyguard.dialect.gateway;

import org.jspecify.annotations.NullMarked;
