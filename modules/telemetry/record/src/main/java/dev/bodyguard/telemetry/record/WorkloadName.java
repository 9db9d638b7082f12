package dev.bodyguard.telemetry.record;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Under which name an instance is counted. Of a pod it is that of the Deployment, StatefulSet, DaemonSet or Job it
/// comes
/// from, which the labels tell that Kubernetes' controllers set: names of pods would be new series after each rollout.
public final class WorkloadName {
    private static final Pattern OF_REPLICA_SET = Pattern.compile("(.+)-[a-z0-9]{5}");
    private static final Pattern OF_STATEFUL_SET = Pattern.compile("(.+)-[0-9]{1,10}");

    private WorkloadName() {}

    /// The name to count by.
    ///
    /// @param instance its own name, which is kept where no controller is told
    public static String of(String instance, Map<String, String> labels) {
        var job = labels.getOrDefault("batch.kubernetes.io/job-name", "");
        if (!job.isEmpty()) {
            return job;
        }
        if (labels.containsKey("statefulset.kubernetes.io/pod-name")) {
            return first(OF_STATEFUL_SET.matcher(instance), instance);
        }
        var template = labels.getOrDefault("pod-template-hash", "");
        if (!template.isEmpty()) {
            var replicaSet = first(OF_REPLICA_SET.matcher(instance), instance);
            return replicaSet.endsWith("-" + template)
                    ? replicaSet.substring(0, replicaSet.length() - template.length() - 1)
                    : replicaSet;
        }
        return labels.containsKey("controller-revision-hash")
                ? first(OF_REPLICA_SET.matcher(instance), instance)
                : instance;
    }

    private static String first(Matcher matcher, String otherwise) {
        return matcher.matches() ? matcher.group(1) : otherwise;
    }
}
