@NullMarked
package dev.bodyguard.dialect.istio;

import org.jspecify.annotations.NullMarked;
