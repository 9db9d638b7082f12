package dev.bodyguard.injector.service;

import io.fabric8.kubernetes.client.KubernetesClientException;

/// Why the API server did not do as it was asked, in one sentence: the client's own says only what was asked.
final class Why {
    private Why() {}

    static String of(KubernetesClientException failed) {
        var cause = failed.getCause();
        if (failed.getCode() > 0 || cause == null) {
            return String.valueOf(failed.getMessage());
        }
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return "the API server does not answer: " + cause;
    }
}
