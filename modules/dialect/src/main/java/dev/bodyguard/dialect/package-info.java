@NullMarked
package dev.bodyguard.dialect;

import org.jspecify.annotations.NullMarked;
