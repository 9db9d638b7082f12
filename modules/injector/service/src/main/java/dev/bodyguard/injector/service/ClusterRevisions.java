package dev.bodyguard.injector.service;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Asks the API server each time which webhooks select by `istio.io/rev`, as those of Istio's revisions and tags do.
///
/// @param own the configuration that does not count
record ClusterRevisions(KubernetesClient client, String own) implements Revisions {
    private static final String LABEL = "istio.io/rev";

    @Override
    public boolean isServed(String revision) throws IOException {
        try {
            return client.admissionRegistration().v1().mutatingWebhookConfigurations().list().getItems().stream()
                    .filter(configuration ->
                            !configuration.getMetadata().getName().equals(own))
                    .flatMap(configuration -> configuration.getWebhooks().stream())
                    .anyMatch(webhook -> selects(webhook, revision));
        } catch (KubernetesClientException failed) {
            throw new IOException("the cluster's webhooks cannot be read: " + Why.of(failed), failed);
        }
    }

    private static boolean selects(MutatingWebhook webhook, String revision) {
        return Stream.of(webhook.getNamespaceSelector(), webhook.getObjectSelector())
                .anyMatch(selector -> names(selector, revision));
    }

    private static boolean names(@Nullable LabelSelector selector, String revision) {
        return selector != null
                && (revision.equals(selector.getMatchLabels().get(LABEL))
                        || selector.getMatchExpressions().stream()
                                .filter(requirement -> requirement.getKey().equals(LABEL))
                                .anyMatch(requirement -> switch (requirement.getOperator()) {
                                    case "In" -> requirement.getValues().contains(revision);
                                    case "Exists" -> true;
                                    default -> false;
                                }));
    }
}
