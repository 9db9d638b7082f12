package dev.bodyguard.source.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Value;
import dev.bodyguard.model.Workload;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.WatchEvent;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What is made of objects as an API server tells them.
class ContentsTest {
    private static final Kind ROUTES = Kind.DEFINED.getFirst();

    private final Contents contents = new Contents();

    @Test
    void aReadyPodIsAWorkloadUntilItIsAboutToEnd() throws Unfit {
        pod(pod("pay-1", "10.0.0.1", true, ""));

        var workload = contents.difference().workloads().getFirst();
        assertThat(workload.address()).isEqualTo("10.0.0.1");
        assertThat(workload.serviceAccount()).isEqualTo("pay");
        assertThat(workload.labels()).isEqualTo(Map.of("app", "pay"));
        assertThat(workload.containerPorts()).isEqualTo(Map.of("web", 8080));
        assertThat(workload.meshed()).isFalse();

        pod(pod("pay-1", "10.0.0.1", true, "")
                .replace("  name: pay-1", "  name: pay-1\n  deletionTimestamp: 2026-01-31T12:00:00Z"));

        assertThat(contents.difference().gone()).containsExactly("shop/pay-1");
    }

    @Test
    void aPodThatIsNotReadyStandsOnlyBehindServicesThatWantItAllTheSame() throws Unfit {
        pod(pod("pay-1", "10.0.0.1", false, ""));
        assertThat(contents.difference().workloads()).isEmpty();

        service("""
            spec: {selector: {app: pay}, publishNotReadyAddresses: true, ports: [{port: 80}]}
            """);

        assertThat(contents.difference().workloads())
                .singleElement()
                .satisfies(workload -> assertThat(workload.ready()).isFalse());
    }

    @Test
    void isMeshedWhereItWasInjectedAndHasTheSidecar() throws Unfit {
        var sidecar = "    - {name: bodyguard-proxy}\n";
        var injected = pod("pay-1", "10.0.0.1", true, sidecar)
                .replace("metadata:", "metadata:\n  annotations: {bodyguard.dev/status: '{}'}");

        assertThat(meshed(injected)).isTrue();
        assertThat(meshed(pod("pay-1", "10.0.0.1", true, sidecar))).isFalse();
        assertThat(meshed(injected.replace(sidecar, ""))).isFalse();
        assertThat(meshed(injected.replace("spec:", "spec:\n  hostNetwork: true")))
                .isFalse();
        assertThat(meshed(injected.replace(sidecar, "")
                        .replace(
                                "  containers:",
                                "  initContainers: [{name: bodyguard-proxy, restartPolicy: Always}]\n  containers:")))
                .isTrue();
    }

    @Test
    void endpointsThatSomebodyWroteDownStandBehindAServiceWithoutSelector() throws Unfit {
        service("spec: {ports: [{name: sql, port: 5432}]}");
        slice("""
            ports: [{name: sql, port: 15432, protocol: TCP}]
            endpoints:
              - {addresses: [192.0.2.1], conditions: {ready: true}}
              - {addresses: [192.0.2.2], conditions: {ready: false}}
              - {addresses: [192.0.2.3]}
            """);

        assertThat(contents.difference().workloads())
                .extracting(
                        Workload::service,
                        Workload::address,
                        one -> one.namedPorts().get("sql"))
                .containsExactlyInAnyOrder(tuple("pay", "192.0.2.1", 15432), tuple("pay", "192.0.2.3", 15432));

        service("spec: {selector: {app: pay}, ports: [{name: sql, port: 5432}]}");

        assertThat(contents.difference().gone())
                .containsExactlyInAnyOrder("shop/pay-x:192.0.2.1", "shop/pay-x:192.0.2.3");
    }

    @Test
    void anEndpointWithAPodsAddressIsThatPod() throws Unfit {
        pod(pod("pay-1", "10.0.0.1", true, "    - {name: bodyguard-proxy}\n")
                .replace("metadata:", "metadata:\n  annotations: {bodyguard.dev/status: '{}'}"));
        service("spec: {ports: [{port: 80}]}");
        slice("""
            ports: [{name: '', port: 8080}]
            endpoints: [{addresses: [10.0.0.1]}]
            """);

        assertThat(contents.difference().workloads())
                .filteredOn(workload -> workload.service().equals("pay"))
                .singleElement()
                .satisfies(workload -> {
                    assertThat(workload.meshed()).isTrue();
                    assertThat(workload.serviceAccount()).isEqualTo("pay");
                });
    }

    @Test
    void aDocumentIsWhatItsAuthorWroteAndStandsWhereHeSays() {
        var document = route("1", "{hosts: [pay], http: []}", "");

        assertThat(document.resourceVersion()).isEqualTo("1");
        assertThat(document.root().entries()).extracting(Value.Entry::key).doesNotContain("status");
        assertThat(document.origin()).hasToString("VirtualService shop/pay (pay.yaml:7:1)");
        assertThat(String.valueOf(document.root().get("metadata")))
                .doesNotContain("managedFields", "last-applied", "resourceVersion");
        assertThat(String.valueOf(document.root().get("spec"))).contains("hosts", "http");
    }

    @Test
    void aStatusThatWasWrittenIsNoNews() {
        contents.put(ROUTES, "shop/pay", route("1", "{hosts: [pay]}", ""));
        assertThat(contents.difference().put()).hasSize(1);

        contents.put(ROUTES, "shop/pay", route("2", "{hosts: [pay]}", "status: {conditions: [{type: Accepted}]}"));
        assertThat(contents.difference().isEmpty()).isTrue();

        contents.put(ROUTES, "shop/pay", route("3", "{hosts: [other]}", ""));
        assertThat(contents.difference().put())
                .extracting(Document::resourceVersion)
                .containsExactly("3");

        contents.forget(ROUTES);
        assertThat(contents.difference().removed()).containsExactly("networking.istio.io/VirtualService/shop/pay");
    }

    @Test
    void nestingWithoutEndIsAWordThatNoDialectTakes() {
        var document = route("1", "[".repeat(50) + "]".repeat(50), "");

        assertThat(String.valueOf(document.root())).contains("nested deeper than 30 levels");
    }

    @Test
    void knowsAnErrorAmongWhatAWatchTells() {
        var event = Cluster.asWritten().unmarshal("""
            {"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired"}}
            """, WatchEvent.class);

        assertThat(event.getObject()).isInstanceOf(Status.class);
    }

    private boolean meshed(String pod) throws Unfit {
        pod(pod);
        return contents.pods.values().iterator().next().workload().meshed();
    }

    private void pod(String yaml) throws Unfit {
        var object = object(yaml);
        var pod = Pod.of(object);
        if (pod == null) {
            contents.pods.remove(Watched.key(object));
        } else {
            contents.pods.put(Watched.key(object), pod);
        }
    }

    private void service(String spec) {
        contents.services.put(
                "shop/pay",
                Selection.of(object("apiVersion: v1\nkind: Service\nmetadata: {name: pay, namespace: shop}\n" + spec)));
    }

    private void slice(String rest) throws Unfit {
        contents.slices.put("shop/pay-x", Slice.of(object("""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: pay-x, namespace: shop, labels: {kubernetes.io/service-name: pay}}
            """ + rest)));
    }

    private static Document route(String version, String spec, String rest) {
        return Authored.document(object("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: pay
              namespace: shop
              resourceVersion: "%s"
              managedFields: [{manager: kubectl}]
              annotations:
                bodyguard.dev/source: pay.yaml:7
                kubectl.kubernetes.io/last-applied-configuration: "{}"
            spec: %s
            %s
            """.formatted(version, spec, rest)));
    }

    private static String pod(String name, String address, boolean ready, String more) {
        return """
            apiVersion: v1
            kind: Pod
            metadata:
              name: %s
              namespace: shop
              labels: {app: pay}
            spec:
              serviceAccountName: pay
              containers:
                - name: app
                  ports: [{name: web, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]
            %sstatus:
              phase: Running
              podIPs: [{ip: %s}]
              conditions: [{type: Ready, status: "%s"}]
            """.formatted(name, more, address, ready ? "True" : "False");
    }

    private static GenericKubernetesResource object(String yaml) {
        return Cluster.asWritten().unmarshal(yaml, GenericKubernetesResource.class);
    }
}
