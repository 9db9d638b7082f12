package dev.bodyguard.source.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Document;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Listing and watching, of an API server that keeps objects in memory.
@Timeout(60)
class ClusterTest {
    private static final Kind ROUTES = Kind.DEFINED.getFirst();

    private final KubernetesMockServer api = new KubernetesMockServer(
            new Context(), new MockWebServer(), new HashMap<>(), new KubernetesCrudDispatcher(), false);
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private KubernetesClient client;

    @BeforeEach
    void start() {
        api.init();
        client = client();
    }

    @AfterEach
    void stop() {
        // The mock ends with this process: its own end may wait in vain for a thread of its HTTP server.
        client.close();
    }

    @Test
    void beginsWithEverythingAndGoesOnWithWhatChanges() throws Exception {
        create(Kind.SERVICES, service("pay"));
        try (var cluster = Cluster.open(client(), new Heard())) {
            assertThat(names(cluster.next().put())).containsExactly("Service pay");

            create(Kind.SERVICES, service("shop"));
            assertThat(names(cluster.next().put())).containsExactly("Service shop");

            client.genericKubernetesResources(Watched.context(Kind.SERVICES, "v1"))
                    .inNamespace("default")
                    .withName("pay")
                    .delete();
            assertThat(cluster.next().removed()).containsExactly("/Service/default/pay");
        }
    }

    @Test
    void aKindIsReadOnceItIsDefinedAndGoneWithItsDefinition() throws Exception {
        try (var cluster = Cluster.open(client(), new Heard())) {
            assertThat(cluster.next().isEmpty()).isTrue();

            create(Kind.DEFINITIONS, """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: virtualservices.networking.istio.io}
                spec:
                  group: networking.istio.io
                  names: {kind: VirtualService, plural: virtualservices}
                  scope: Namespaced
                  versions: [{name: v1alpha3, served: true}, {name: v1, served: true}, {name: v2, served: false}]
                status: {conditions: [{type: Established, status: "True"}]}
                """);
            assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("watching virtualservices.networking.istio.io/v1");
            create(ROUTES, """
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: pay, namespace: default}
                spec: {hosts: [pay]}
                """);
            assertThat(names(cluster.next().put())).containsExactly("VirtualService pay");

            client.genericKubernetesResources(Watched.context(Kind.DEFINITIONS, "v1"))
                    .withName("virtualservices.networking.istio.io")
                    .delete();

            assertThat(cluster.next().removed()).containsExactly("networking.istio.io/VirtualService/default/pay");
            assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("forgotten virtualservices.networking.istio.io");
        }
    }

    /// As our chart defines them all, and Linkerd its ServiceProfile not.
    @Test
    void saysHowADocumentFaresWhereItsKindHasAStatus() throws Exception {
        try (var cluster = Cluster.open(client(), new Heard())) {
            assertThat(cluster.next().isEmpty()).isTrue();
            define("split.smi-spec.io", "TrafficSplit", "trafficsplits", "subresources: {status: {}}");
            define("linkerd.io", "ServiceProfile", "serviceprofiles", "subresources: {}");
            var kinds = List.of(kind("TrafficSplit"), kind("ServiceProfile"));
            for (var kind : kinds) {
                create(kind, """
                    apiVersion: %s/v1alpha2
                    kind: %s
                    metadata: {name: pay, namespace: default, generation: 1}
                    spec: {}
                    """.formatted(kind.group(), kind.name()));
            }
            for (int documents = 0; documents < 2; ) {
                documents += cluster.next().put().size();
            }

            for (var kind : kinds.reversed()) {
                cluster.report(new Verdict(
                        kind.group() + "/" + kind.name() + "/default/pay", 1, true, "", "by HTTPRoute pay", 1, 1));
            }

            var split = kinds.getFirst();
            while (!statusOf(split).contains("message=by HTTPRoute pay")) {
                Thread.sleep(20);
            }
            assertThat(statusOf(split)).contains("{type=Overridden, status=True, reason=Overridden,");
            assertThat(statusOf(kinds.getLast())).isEqualTo("null");
            assertThat(heard).noneMatch(line -> line.startsWith("refused"));
        }
    }

    private static Kind kind(String name) {
        return Kind.DEFINED.stream()
                .filter(kind -> kind.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void define(String group, String kind, String plural, String more) {
        create(Kind.DEFINITIONS, """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: %s.%s}
            spec:
              group: %s
              names: {kind: %s, plural: %s}
              scope: Namespaced
              versions: [{name: v1alpha2, served: true, %s}]
            status: {conditions: [{type: Established, status: "True"}]}
            """.formatted(plural, group, group, kind, plural, more));
    }

    private String statusOf(Kind kind) {
        GenericKubernetesResource object = client.genericKubernetesResources(Watched.context(kind, "v1alpha2"))
                .inNamespace("default")
                .withName("pay")
                .get();
        return String.valueOf(object.getAdditionalProperties().get("status"));
    }

    @Test
    void saysOnceWhyNothingIsRead() throws Exception {
        var nobody = new ConfigBuilder()
                .withMasterUrl("http://127.0.0.1:1")
                .withRequestRetryBackoffLimit(0)
                .build();
        try (var _ =
                Cluster.open(new KubernetesClientBuilder().withConfig(nobody).build(), new Heard())) {
            assertThat(heard.poll(10, TimeUnit.SECONDS))
                    .startsWith("lost ")
                    .contains("the API server does not answer: ");
            assertThat(heard.poll(1, TimeUnit.SECONDS)).isNull();
        }
    }

    private KubernetesClient client() {
        return new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder(api.createClient().getConfiguration())
                        .withWatchReconnectLimit(0)
                        .withRequestRetryBackoffLimit(0)
                        .build())
                .withKubernetesSerialization(Cluster.asWritten())
                .build();
    }

    private void create(Kind kind, String yaml) {
        var object = client.getKubernetesSerialization().unmarshal(yaml, GenericKubernetesResource.class);
        var version = object.getApiVersion().replaceAll(".*/", "");
        var resources = client.genericKubernetesResources(Watched.context(kind, version));
        var namespace = object.getMetadata().getNamespace();
        if (namespace == null) {
            resources.resource(object).create();
        } else {
            resources.inNamespace(namespace).resource(object).create();
        }
    }

    private static String service(String name) {
        return """
            apiVersion: v1
            kind: Service
            metadata: {name: %s, namespace: default}
            spec: {selector: {app: %s}, ports: [{port: 80, targetPort: web}]}
            """.formatted(name, name);
    }

    private static List<String> names(List<Document> documents) {
        return documents.stream()
                .map(document -> document.kind() + " " + document.name())
                .toList();
    }

    private final class Heard implements Events {
        @Override
        public void lost(String what, String why) {
            heard.add("lost " + what + ": " + why);
        }

        @Override
        public void back() {
            heard.add("back");
        }

        @Override
        public void watching(String what) {
            heard.add("watching " + what);
        }

        @Override
        public void forgotten(String what) {
            heard.add("forgotten " + what);
        }

        @Override
        public void leftOut(String object, String why) {
            heard.add("left out " + object + ": " + why);
        }

        @Override
        public void statusRefused(String document, String why) {
            heard.add("refused " + document + ": " + why);
        }
    }
}
