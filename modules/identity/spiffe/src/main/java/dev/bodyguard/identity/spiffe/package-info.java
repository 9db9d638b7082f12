/// Who a workload is, and whether a certificate proves it.
@NullMarked
package dev.bodyguard.identity.spiffe;

import org.jspecify.annotations.NullMarked;
