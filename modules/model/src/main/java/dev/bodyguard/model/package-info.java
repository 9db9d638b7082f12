@NullMarked
package dev.bodyguard.model;

import org.jspecify.annotations.NullMarked;
