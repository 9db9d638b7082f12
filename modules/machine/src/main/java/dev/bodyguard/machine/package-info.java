@NullMarked
package dev.bodyguard.machine;

import org.jspecify.annotations.NullMarked;
