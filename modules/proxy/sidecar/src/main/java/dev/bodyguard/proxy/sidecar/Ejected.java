package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Ejection;
import dev.bodyguard.proxy.engine.Plan;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Which endpoints of a plan are ejected now, for who asks; whoever looks also ends what is over.
final class Ejected {
    /// Of one cluster as many are named.
    private static final int NAMED = 3;

    private Ejected() {}

    static long count(Plan plan) {
        return plan.clusters().values().stream()
                .mapToLong(cluster -> of(cluster).size())
                .sum();
    }

    /// One for each cluster that lacks somebody.
    static List<String> sentences(Plan plan) {
        return new TreeMap<>(plan.clusters())
                .values().stream()
                        .filter(cluster -> !of(cluster).isEmpty())
                        .map(Ejected::sentence)
                        .toList();
    }

    /// `ejected for 23 s more, as 5 times in a row it answered 5xx or not at all`.
    static String sentence(Ejection.Ongoing one) {
        return "ejected for " + seconds(one.left()) + " s more, as "
                + one.ejection().why();
    }

    private static List<Ejection.Ongoing> of(ClusterPlan cluster) {
        return cluster.endpoints().stream()
                .<Ejection.Ongoing>mapMulti((endpoint, to) -> {
                    var ejection = endpoint.ejection();
                    if (ejection != null) {
                        to.accept(ejection);
                    }
                })
                .toList();
    }

    private static String sentence(ClusterPlan cluster) {
        var all = of(cluster);
        var named = all.stream()
                .limit(NAMED)
                .map(one -> one.ejection().whom() + " is " + sentence(one))
                .collect(Collectors.joining("; "));
        return "of " + cluster.endpoints().size() + " endpoints of " + cluster.name() + " " + all.size()
                + (all.size() == 1 ? " is" : " are") + " left alone: " + named
                + (all.size() > NAMED ? "; and " + (all.size() - NAMED) + " more" : "")
                + consequence(cluster) + ", by "
                + Objects.requireNonNullElse(cluster.origin(), "its outlier detection");
    }

    private static String consequence(ClusterPlan cluster) {
        if (cluster.panics()) {
            return "; so few are left that all are asked again";
        }
        return cluster.available().isEmpty() ? "; nobody is left, so that requests are refused" : "";
    }

    /// Rounded up: who is ejected is so for a while.
    private static long seconds(Duration time) {
        return Math.ceilDiv(time.toMillis(), 1_000);
    }
}
