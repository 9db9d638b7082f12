@NullMarked
package dev.bodyguard.xds.compile;

import org.jspecify.annotations.NullMarked;
