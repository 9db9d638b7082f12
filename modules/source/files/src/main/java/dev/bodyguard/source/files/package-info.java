/// Files to documents. [dev.bodyguard.source.files.Yaml] is a pure function of a file's text;
/// [dev.bodyguard.source.files.Directory] belongs to the one thread that asks it for changes.
@NullMarked
package dev.bodyguard.source.files;

import org.jspecify.annotations.NullMarked;
