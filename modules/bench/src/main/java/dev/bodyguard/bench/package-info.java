/// Benchmarks, each a class that JMH runs. Marked here and not as a module: what JMH generates knows no marks.
@NullMarked
package dev.bodyguard.bench;

import org.jspecify.annotations.NullMarked;
