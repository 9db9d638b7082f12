/// Bodyguard's own documents, for what no other dialect says.
@NullMarked
package dev.bodyguard.dialect.bodyguard;

import org.jspecify.annotations.NullMarked;
