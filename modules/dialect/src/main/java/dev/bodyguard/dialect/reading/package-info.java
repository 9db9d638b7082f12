/// How every dialect reads a document: field by field, with a word on each that is wrong, unknown or without effect.
@NullMarked
package dev.bodyguard.dialect.reading;

import org.jspecify.annotations.NullMarked;
