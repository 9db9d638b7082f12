package dev.bodyguard.injector.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.injector.decision.Defaults;
import dev.bodyguard.injector.decision.Injection;
import dev.bodyguard.injector.decision.Namespace;
import dev.bodyguard.injector.decision.Sidecar;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionReview;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Asked as the API server asks: by TLS, knowing only the mesh's root.
class WebhookServerTest {
    private static final Namespace SHOP = new Namespace("shop", Map.of("istio-injection", "enabled"), Map.of());
    private static final KubernetesSerialization JSON = new KubernetesSerialization();

    private final Certificates certificates;
    private final AtomicReference<Svid> svid = new AtomicReference<>();
    private final Heard heard = new Heard();
    private WebhookServer server;

    WebhookServerTest() throws IOException {
        certificates = new Certificates();
    }

    @BeforeEach
    void start() throws IOException {
        svid.set(certificates.svid());
        var sidecar =
                new Sidecar("bodyguard", "1.0.0", "default", "cluster.local", Sidecar.Shape.NATIVE, Defaults.USUAL);
        Namespaces namespaces = name -> switch (name) {
            case "shop" -> SHOP;
            case "plain" -> new Namespace("plain", Map.of(), Map.of());
            case "canary" -> new Namespace("canary", Map.of("istio.io/rev", "canary"), Map.of());
            case "served" -> new Namespace("served", Map.of("istio.io/rev", "1-30"), Map.of());
            default -> throw new IOException("namespace " + name + " cannot be read: no connection");
        };
        server = WebhookServer.start(
                "127.0.0.1", 0, svid::get, new Admission(new Injection(sidecar), namespaces, "1-30"::equals), heard);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void patchesAPodThatTheApiServersTypesUnderstand() throws Exception {
        var pod = new PodBuilder()
                .withNewMetadata()
                .withGenerateName("web-5d4f8-")
                .addToLabels("pod-template-hash", "5d4f8")
                .addNewOwnerReference()
                .withController(true)
                .withKind("ReplicaSet")
                .withName("web-5d4f8")
                .withApiVersion("apps/v1")
                .withUid("1")
                .endOwnerReference()
                .addToAnnotations("note", "<\"ünïcode\" \uD83D\uDE80\n\ttabs/>")
                .addToAnnotations("sidecar.istio.io/logLevel", "debug")
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("web")
                .withImage("shop/web:1")
                .addNewPort()
                .withContainerPort(8080)
                .endPort()
                .withNewReadinessProbe()
                .withNewTcpSocket()
                .withNewPort(8080)
                .endTcpSocket()
                .endReadinessProbe()
                .endContainer()
                .endSpec()
                .build();

        var answer = ask(review("shop", JSON.asJson(pod)));

        assertThat(answer.statusCode()).isEqualTo(200);
        var response = JSON.unmarshal(answer.body(), AdmissionReview.class).getResponse();
        assertThat(response.getUid()).isEqualTo("705ab4f5");
        assertThat(response.getAllowed()).isTrue();
        assertThat(response.getPatchType()).isEqualTo("JSONPatch");
        assertThat(response.getWarnings())
                .containsExactly("bodyguard: sidecar.istio.io/logLevel is ignored: the sidecar's log has one level");
        var patched = io.fabric8.zjsonpatch.JsonPatch.apply(
                JSON.unmarshal(decoded(response.getPatch()), tools.jackson.databind.JsonNode.class),
                JSON.convertValue(pod, tools.jackson.databind.JsonNode.class));
        var injected = JSON.convertValue(patched, io.fabric8.kubernetes.api.model.Pod.class);
        assertThat(injected.getSpec().getInitContainers())
                .extracting(Container::getName)
                .containsExactly("bodyguard-init", "bodyguard-proxy");
        var proxy = injected.getSpec().getInitContainers().get(1);
        assertThat(proxy.getRestartPolicy()).isEqualTo("Always");
        assertThat(proxy.getPorts()).extracting(ContainerPort::getContainerPort).containsExactly(15090);
        assertThat(injected.getSpec().getVolumes()).extracting(Volume::getName).contains("bodyguard-token");
        assertThat(injected.getSpec()
                        .getContainers()
                        .getFirst()
                        .getReadinessProbe()
                        .getHttpGet()
                        .getPath())
                .isEqualTo("/app-health/web/readyz");
        assertThat(injected.getMetadata())
                .extracting(ObjectMeta::getLabels)
                .isEqualTo(Map.of(
                        "pod-template-hash", "5d4f8",
                        "bodyguard.dev/rev", "default",
                        "service.istio.io/canonical-name", "web",
                        "service.istio.io/canonical-revision", "latest"));
        assertThat(injected.getMetadata().getAnnotations())
                .containsEntry("note", "<\"ünïcode\" \uD83D\uDE80\n\ttabs/>");
        assertThat(heard.next()).isEqualTo("shop/web-5d4f8- injected");
    }

    /// kubectl prints sixteen lines at most of what one webhook says.
    @Test
    void namesWhatIsBeyondTheWarningsThatItShows() throws Exception {
        assertThat(warningsOf(16))
                .hasSize(16)
                .last()
                .isEqualTo("bodyguard: sidecar.istio.io/x15 is ignored: it is not known here");
        assertThat(warningsOf(18))
                .hasSize(16)
                .last()
                .isEqualTo("bodyguard: and 3 more: sidecar.istio.io/x15, sidecar.istio.io/x16, sidecar.istio.io/x17");
        assertThat(warningsOf(40))
                .hasSize(16)
                .last()
                .isEqualTo("bodyguard: and 25 more, which `bodyguard inject` prints for the same manifest");
    }

    private List<String> warningsOf(int annotations) throws Exception {
        var said = IntStream.range(0, annotations)
                .mapToObj(i -> "\"sidecar.istio.io/x%02d\":\"\"".formatted(i))
                .collect(Collectors.joining(",", "{", "}"));
        var answer = ask(review(
                "shop", "{\"metadata\":{\"annotations\":" + said + "},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}"));
        return JSON.unmarshal(answer.body(), AdmissionReview.class)
                .getResponse()
                .getWarnings();
    }

    @Test
    void leavesAloneWhoDidNotAsk() throws Exception {
        var answer =
                ask(review("plain", "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}"));

        var response = JSON.unmarshal(answer.body(), AdmissionReview.class).getResponse();
        assertThat(response.getAllowed()).isTrue();
        assertThat(response.getPatch()).isNull();
        assertThat(heard.next()).isEqualTo("plain/x not_asked");
    }

    @Test
    void refusesWhoAskedAndCannotHaveOne() throws Exception {
        var answer = ask(review(
                "shop",
                "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"hostNetwork\":true,\"containers\":[{\"name\":\"a\"}]}}"));

        var response = JSON.unmarshal(answer.body(), AdmissionReview.class).getResponse();
        assertThat(response.getAllowed()).isFalse();
        assertThat(response.getStatus().getCode()).isEqualTo(403);
        assertThat(response.getStatus().getMessage())
                .startsWith("pod x is to have Bodyguard's sidecar, and cannot have it: hostNetwork: ")
                .endsWith("drop hostNetwork, or decline with bodyguard.dev/inject=disabled");
        assertThat(heard.next()).isEqualTo("shop/x refused");
    }

    @Test
    void tellsWhoWritesAWorkloadWhatWhoeverWritesItsPodIsTold() throws Exception {
        var pod = """
                {"metadata": {"annotations": {"sidecar.istio.io/logLevel": "debug"}},
                 "spec": {"containers": [{"name": "a"}]}}""";

        for (var kind : List.of("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod")) {
            assertThat(advice("shop", kind, kind.equals("Pod") ? pod : "{\"spec\": {\"template\": " + pod + "}}"))
                    .as(kind)
                    .containsExactly(
                            "bodyguard: sidecar.istio.io/logLevel is ignored: the sidecar's log has one level");
            assertThat(heard.next()).isEqualTo("shop/ warned");
        }
        assertThat(advice("shop", "CronJob", "{\"spec\": {\"jobTemplate\": {\"spec\": {\"template\": " + pod + "}}}}"))
                .containsExactly("bodyguard: sidecar.istio.io/logLevel is ignored: the sidecar's log has one level");
    }

    @Test
    void tellsWhoWritesAServiceWhatItSaysInVain() throws Exception {
        assertThat(advice("plain", "Service", """
                {"metadata": {
                   "name": "web",
                   "annotations": {
                     "retry.linkerd.io/http": "5xx", "timeout.linkerd.io/idle": "1s", "note": "",
                     "balancer.linkerd.io/failure-accrual": "consecutive"},
                   "labels": {"istio.io/persistent-session": "cookie", "app": "web"}},
                 "spec": {"ports": [{"port": 80}]}}"""))
                .containsExactly(
                        "bodyguard: balancer.linkerd.io/failure-accrual is ignored: a DestinationRule's trafficPolicy says"
                                + " how endpoints are chosen",
                        "bodyguard: timeout.linkerd.io/idle is ignored: of timeouts only timeout.linkerd.io/request is"
                                + " obeyed",
                        "bodyguard: label istio.io/persistent-session is ignored: each request is balanced for itself");
        assertThat(heard.next()).isEqualTo("plain/web warned");
    }

    @Test
    void tellsWhoWritesAWorkloadThatItsPodsAreRefused() throws Exception {
        assertThat(
                        advice(
                                "shop",
                                "Deployment",
                                "{\"spec\":{\"template\":{\"spec\":{\"hostNetwork\":true,\"containers\":[{\"name\":\"a\"}]}}}}"))
                .singleElement()
                .asString()
                .startsWith("bodyguard: its pods are refused: hostNetwork: ")
                .endsWith("drop hostNetwork, or decline with bodyguard.dev/inject=disabled");
    }

    @Test
    void saysNothingWhereThereIsNothingToSay() throws Exception {
        var deployment = "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}}}";

        assertThat(advice("shop", "Deployment", deployment)).isEmpty();
        assertThat(advice("plain", "Deployment", deployment)).isEmpty();
        assertThat(advice("shop", "ConfigMap", "{\"data\":{}}")).isEmpty();
        assertThat(heard.next()).isEqualTo("shop/ nothing_to_say");
    }

    @Test
    void tellsWhoAsksForARevisionThatNobodyServes() throws Exception {
        var deployment = "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}}}";

        assertThat(advice("canary", "Deployment", deployment))
                .containsExactly("bodyguard: namespace canary's label istio.io/rev=canary asks for a revision that no"
                        + " injector here serves, and there is no sidecar; write istio.io/rev=default to have one");
        assertThat(advice("served", "Deployment", deployment)).isEmpty();
        assertThat(
                        advice(
                                "shop",
                                "Pod",
                                "{\"metadata\":{\"labels\":{\"istio.io/rev\":\"old\"}},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}"))
                .singleElement()
                .asString()
                .startsWith(
                        "bodyguard: the pod's label istio.io/rev=old asks for a revision that no injector here serves");
    }

    /// The warnings of an answer that does nothing but warn.
    private List<String> advice(String namespace, String kind, String object) throws Exception {
        var answer = ask("/warn", review(namespace, kind, object));
        assertThat(answer.statusCode()).isEqualTo(200);
        var response = JSON.unmarshal(answer.body(), AdmissionReview.class).getResponse();
        assertThat(response.getAllowed()).isTrue();
        assertThat(response.getPatch()).isNull();
        return response.getWarnings();
    }

    @Test
    void leavesItToTheFailurePolicyWhereTheClusterDoesNotAnswer() throws Exception {
        var answer =
                ask(review("gone", "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}"));

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("namespace gone cannot be read: no connection\n");
        assertThat(heard.next()).isEqualTo("failed: namespace gone cannot be read: no connection");
    }

    @Test
    void refusesWhatIsNoReview() throws Exception {
        assertThat(ask("{}").statusCode()).isEqualTo(400);
        assertThat(ask("{\"a\": [").statusCode()).isEqualTo(400);
        assertThat(ask("[".repeat(100_000)).statusCode()).isEqualTo(400);
    }

    @Test
    void readsNoMoreThanAReviewCanHave() throws Exception {
        var answer = ask("x".repeat(WebhookServer.LARGEST_BODY + 1));

        assertThat(answer.statusCode()).isEqualTo(413);
    }

    @Test
    void showsTheSvidOfTheMoment() throws Exception {
        var first = serial();
        svid.set(certificates.svid());

        assertThat(first).isNotEqualTo(svid.get().serial());
        assertThat(serial()).isEqualTo(svid.get().serial());
    }

    /// Of the certificate that a new connection is shown.
    private String serial() throws Exception {
        try (var client = certificates.client()) {
            var answer = client.send(request("/inject", "{}"), HttpResponse.BodyHandlers.ofString());
            var shown = answer.sslSession().orElseThrow().getPeerCertificates()[0];
            return ((java.security.cert.X509Certificate) shown)
                    .getSerialNumber()
                    .toString(16);
        }
    }

    private HttpResponse<String> ask(String body) throws Exception {
        return ask("/inject", body);
    }

    private HttpResponse<String> ask(String path, String body) throws Exception {
        try (var client = certificates.client()) {
            return client.send(request(path, body), HttpResponse.BodyHandlers.ofString());
        }
    }

    private HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(URI.create("https://localhost:" + server.port() + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private static String review(String namespace, String pod) {
        return review(namespace, "Pod", pod);
    }

    private static String review(String namespace, String kind, String object) {
        return "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"705ab4f5\","
                + "\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"" + kind + "\"},\"namespace\":\"" + namespace
                + "\",\"operation\":\"CREATE\",\"object\":" + object + ",\"oldObject\":null,\"dryRun\":false}}";
    }

    private static String decoded(String patch) {
        return new String(Base64.getDecoder().decode(patch), StandardCharsets.UTF_8);
    }
}
