@NullMarked
package dev.bodyguard.dialect.kubernetes;

import org.jspecify.annotations.NullMarked;
