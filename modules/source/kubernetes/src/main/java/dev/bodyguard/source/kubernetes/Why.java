package dev.bodyguard.source.kubernetes;

import java.net.ConnectException;

/// Why the API server did not do as it was asked, in one sentence: the client's own says only what was asked.
final class Why {
    private Why() {}

    static String of(Exception failed) {
        if (failed instanceof io.fabric8.kubernetes.client.KubernetesClientException answered
                && answered.getStatus() != null
                && answered.getStatus().getMessage() != null) {
            return "HTTP " + answered.getCode() + ": " + answered.getStatus().getMessage();
        }
        // The last cause that says anything: below a refused connection there is a channel that was closed.
        Throwable cause = failed;
        for (var deeper = failed.getCause(); deeper != null; deeper = deeper.getCause()) {
            if (deeper.getMessage() != null || deeper instanceof ConnectException) {
                cause = deeper;
            }
        }
        return "the API server does not answer: " + cause;
    }
}
