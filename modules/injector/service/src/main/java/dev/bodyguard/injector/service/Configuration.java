package dev.bodyguard.injector.service;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfig;
import java.util.List;
import java.util.function.Function;

/// A kind of webhook configuration. Kubernetes' client knows the two as types that have nothing in common.
///
/// @param clients how the API server calls each of a configuration's webhooks
record Configuration<C extends HasMetadata>(Class<C> type, Function<C, List<WebhookClientConfig>> clients) {
    /// Of what injects.
    static final Configuration<MutatingWebhookConfiguration> MUTATING = new Configuration<>(
            MutatingWebhookConfiguration.class,
            one -> one.getWebhooks().stream()
                    .map(MutatingWebhook::getClientConfig)
                    .toList());
    /// Of what warns.
    static final Configuration<ValidatingWebhookConfiguration> VALIDATING = new Configuration<>(
            ValidatingWebhookConfiguration.class,
            one -> one.getWebhooks().stream()
                    .map(ValidatingWebhook::getClientConfig)
                    .toList());

    /// Kind and name.
    String shown(String name) {
        return type.getSimpleName() + " " + name;
    }
}
