/// Documents and workloads of a Kubernetes cluster.
@NullMarked
package dev.bodyguard.source.kubernetes;

import org.jspecify.annotations.NullMarked;
