package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.HeaderChanges;
import dev.bodyguard.proxy.engine.RetryPolicy;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Target;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where a request goes once it is routed.
sealed interface Way {
    /// To whichever endpoint of a cluster the balancer picks.
    ///
    /// @param hash of what the route hashes by
    /// @param spoken how to speak to it instead of how the cluster says; null for as it says
    record Balanced(
            ClusterPlan cluster,
            Generation generation,
            long hash,
            @Nullable Transport spoken) implements Way {}

    /// To one address.
    record Straight(Target target, String name) implements Way {}

    /// What a rule says about the exchange as a whole.
    ///
    /// @param timeout zero for none
    record Terms(
            RetryPolicy retries, Duration timeout, @Nullable String origin, List<HeaderChanges> response) {
        static final Terms NONE = new Terms(RetryPolicy.NONE, Duration.ZERO, null, List.of());

        public Terms {
            response = List.copyOf(response);
        }
    }
}
