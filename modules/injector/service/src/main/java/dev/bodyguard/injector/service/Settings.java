package dev.bodyguard.injector.service;

import dev.bodyguard.injector.decision.Sidecar;
import java.util.Objects;

/// What the injector can be told.
///
/// @param port of the webhooks, TLS
/// @param webhook name of the MutatingWebhookConfiguration and of the ValidatingWebhookConfiguration whose `caBundle`
///     it keeps right
/// @param sidecar what it injects
public record Settings(String host, int port, String webhook, Sidecar sidecar) {
    public Settings {
        Objects.requireNonNull(sidecar);
        if (webhook.isBlank()) {
            throw new IllegalArgumentException("the name of the webhook's configuration must not be blank");
        }
    }
}
