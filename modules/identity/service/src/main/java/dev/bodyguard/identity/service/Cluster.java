package dev.bodyguard.identity.service;

import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;

/// The API server of the cluster that this runs in, or of KUBECONFIG.
final class Cluster {
    /// A question is a small one; a workload waits ten seconds for its certificate in all.
    private static final int PATIENCE_MS = 2_000;

    private Cluster() {}

    static KubernetesClient client() {
        return new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder()
                        .withConnectionTimeout(PATIENCE_MS)
                        .withRequestTimeout(PATIENCE_MS)
                        .withRequestRetryBackoffLimit(1)
                        .build())
                .build();
    }

    /// Why it did not do as it was asked, in one sentence: the client's own says only what was asked.
    static String why(KubernetesClientException failed) {
        var cause = failed.getCause();
        if (failed.getCode() > 0 || cause == null) {
            var status = failed.getStatus();
            return status == null || status.getMessage() == null
                    ? String.valueOf(failed.getMessage())
                    : status.getMessage();
        }
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return "the API server does not answer: " + cause;
    }

    /// Whether it may answer otherwise in a moment.
    static boolean passes(KubernetesClientException failed) {
        return failed.getCode() == 0 || failed.getCode() == 429 || failed.getCode() >= 500;
    }
}
