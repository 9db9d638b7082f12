package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Budget;
import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.HeaderChanges;
import dev.bodyguard.proxy.engine.RetryBudget;
import dev.bodyguard.proxy.engine.RetryPolicy;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Target;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where a request goes once it is routed.
sealed interface Way {
    /// Of the cluster, or the address.
    default String name() {
        return switch (this) {
            case Balanced balanced -> balanced.cluster().name();
            case Straight straight -> straight.address();
        };
    }

    /// How many retries may be under way, null where nobody says.
    default @Nullable RetryBudget budget() {
        return switch (this) {
            case Balanced balanced -> balanced.cluster().budget();
            case Straight _ -> null;
        };
    }

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
    record Straight(Target target, String address) implements Way {}

    /// What a rule says about the exchange as a whole.
    ///
    /// @param budget one for the request, however often it is forwarded
    record Terms(
            RetryPolicy retries, Budget budget, @Nullable String origin, List<HeaderChanges> response) {
        public Terms {
            response = List.copyOf(response);
        }
    }
}
