package kubernetes

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// A pod that answers by HTTP on 8080, or on what it is given.
func server(name, labels, annotations string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, labels: {app: %[1]s%[2]s}, annotations: {%[3]s}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: localhost/probe:1
    command: [/probe, serve, ":8080", %[1]s]
    ports: [{containerPort: 8080}]
    readinessProbe: {httpGet: {path: "/ready?at=once", port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec:
  selector: {app: %[1]s}
  ports: [{name: http, port: 80, targetPort: 8080}]
`, name, labels, annotations)
}

func containers(c harness.Cluster, namespace, pod string) string {
	return c.Get(namespace, "pod/"+pod, ".spec.initContainers[*].name") + " " + c.Get(namespace, "pod/"+pod, ".spec.containers[*].name")
}

func hasSidecar(c harness.Cluster, namespace, pod string) bool {
	return strings.Contains(containers(c, namespace, pod), sidecar)
}

// The default profile by helm alone, and on it all that needs a mesh and no story.
func TestMesh(t *testing.T) {
	c := harness.Kube(t)
	began := time.Now()
	for _, release := range []string{"bodyguard-crds", "bodyguard"} {
		helm(t, c, "install", release, chart(release), "--namespace", system, "--create-namespace", "--wait", "--timeout", "3m")
	}
	t.Logf("ready after %s", time.Since(began))
	t.Cleanup(func() {
		if t.Failed() {
			c.Tell(system)
			for _, service := range services {
				t.Logf("---- %s:\n%s", service, harness.Tail(c.Logs(harness.Pod{Namespace: system, Name: "deployment/bodyguard-" + service}), 30))
			}
		}
		bodyguard(t, c, "uninstall", "--with-documents")
	})
	sidecarsOfEveryKind := everyKind(t)
	t.Run("Injection", injection)
	t.Run("Warnings", warnings)
	t.Run("InjectAndApply", injectAndApply)
	t.Run("AnInjectorThatIsAway", injectorAway)
	t.Run("MutualTLS", mutualTLS)
	t.Run("Capture", capture)
	t.Run("Dialects", dialects)
	t.Run("HTTPS", https)
	t.Run("ProbesAndHooks", probesAndHooks)
	t.Run("ClassicSidecars", classic)
	t.Run("Jobs", jobs)
	t.Run("EveryKindOfWorkload", sidecarsOfEveryKind)
	t.Run("Prometheus", prometheus)
	t.Run("AMistakeIsACondition", mistake)
	t.Run("RestrictedPods", restricted)
	t.Run("SeveralReplicas", severalReplicas)
	t.Run("Permissions", permissions)
	t.Run("Resources", resources)
}

func injection(t *testing.T) {
	c := harness.Kube(t)
	// Of the namespace and of the pod: what labels say, and what annotations.
	for name, one := range map[string]struct {
		namespace, annotation, labels, annotations string
		injected                                   bool
	}{
		"nobody asked":                           {"", "", "", "", false},
		"namespace, Istio":                       {"istio-injection=enabled", "", "", "", true},
		"namespace, revision":                    {"istio.io/rev=default", "", "", "", true},
		"namespace, other revision":              {"istio.io/rev=canary", "", "", "", false},
		"namespace, own":                         {"bodyguard.dev/inject=enabled", "", "", "", true},
		"namespace, upper case":                  {"istio-injection=Enabled", "", "", "", true},
		"namespace, one declines":                {"istio-injection=enabled bodyguard.dev/inject=disabled", "", "", "", false},
		"namespace, own annotation":              {"", "bodyguard.dev/inject=enabled", "", "", true},
		"namespace, own annotation declines":     {"istio-injection=enabled", "bodyguard.dev/inject=disabled", "", "", false},
		"namespace, Linkerd":                     {"", "linkerd.io/inject=enabled", "", "", true},
		"namespace, Linkerd, ingress":            {"", "linkerd.io/inject=ingress", "", "", true},
		"namespace, Linkerd declines":            {"istio-injection=enabled", "linkerd.io/inject=disabled", "", "", false},
		"namespace, Linkerd, own label declines": {"bodyguard.dev/inject=disabled", "linkerd.io/inject=enabled", "", "", false},
		"namespace, Linkerd, other revision":     {"istio.io/rev=canary", "linkerd.io/inject=enabled", "", "", false},
		"namespace, Linkerd, pod of another":     {"", "linkerd.io/inject=enabled", ", istio.io/rev: canary", "", false},
		"namespace, a pod's word":                {"", "sidecar.istio.io/inject=true", "", "", false},
		"pod, Istio":                             {"", "", `, sidecar.istio.io/inject: "true"`, "", true},
		"pod, Istio's annotation":                {"", "", "", `sidecar.istio.io/inject: "true"`, true},
		"pod, upper case":                        {"", "", `, sidecar.istio.io/inject: "True"`, "", true},
		"pod, revision":                          {"", "", ", istio.io/rev: default", "", true},
		"pod, own":                               {"", "", ", bodyguard.dev/inject: enabled", "", true},
		"pod, own annotation":                    {"", "", "", "bodyguard.dev/inject: enabled", true},
		"pod, Linkerd":                           {"", "", "", "linkerd.io/inject: enabled", true},
		"pod, Linkerd, ingress":                  {"", "", "", "linkerd.io/inject: ingress", true},
		"pod declines":                           {"istio-injection=enabled", "", `, sidecar.istio.io/inject: "false"`, "", false},
		"pod declines, Istio's annotation":       {"istio-injection=enabled", "", "", `sidecar.istio.io/inject: "false"`, false},
		"pod declines, own":                      {"istio-injection=enabled", "", ", bodyguard.dev/inject: disabled", "", false},
		"pod declines, own annotation":           {"istio-injection=enabled", "", "", "bodyguard.dev/inject: disabled", false},
		"pod declines, Linkerd":                  {"istio-injection=enabled", "", "", "linkerd.io/inject: disabled", false},
	} {
		t.Run(name, func(t *testing.T) {
			c.T = t
			namespace := c.Namespace(strings.Fields(one.namespace)...)
			if one.annotation != "" {
				c.Kubectl("annotate", "namespace", namespace, one.annotation)
			}
			c.Apply(namespace, server("web", one.labels, one.annotations))
			if hasSidecar(c, namespace, "web") != one.injected {
				t.Errorf("the pod's containers are %s", containers(c, namespace, "web"))
			}
		})
	}
	t.Run("what is ignored is named", func(t *testing.T) {
		c.T = t
		namespace := c.Namespace("istio-injection=enabled")
		said := c.Apply(namespace, server("web", "", `sidecar.istio.io/proxyImage: "other/proxy:1"`))
		if !strings.Contains(said, "Warning:") || !strings.Contains(said, "sidecar.istio.io/proxyImage") {
			t.Errorf("kubectl says %s", said)
		}
	})
	for name, one := range map[string]struct{ namespace, pod, why string }{
		"what is not understood is refused": {
			"istio-injection=enabled", server("web", "", `sidecar.istio.io/interceptionMode: MAGIC`), "MAGIC"},
		"a namespace that says neither yes nor no": {
			"istio-injection=yes", server("web", "", ""), "label istio-injection=yes says neither yes nor no"},
		"a pod that says neither yes nor no": {
			"", server("web", ", bodyguard.dev/inject: maybe", ""), "label bodyguard.dev/inject=maybe says neither yes nor no"},
		"whose traffic would be taken for the sidecar's": {
			"istio-injection=enabled", strings.Replace(server("web", "", ""), "spec:", "spec:\n  securityContext: {runAsGroup: 1337}", 1),
			"runAsGroup 1337"},
	} {
		t.Run(name, func(t *testing.T) {
			c.T = t
			output, err := c.Inside(one.pod, "kubectl", "-n", c.Namespace(strings.Fields(one.namespace)...), "apply", "-f", "-")
			if err == nil || !strings.Contains(output, one.why) {
				t.Errorf("%v: kubectl says %s", err, output)
			}
		})
	}
	t.Run("who asks where nobody gets one is told", func(t *testing.T) {
		c.T = t
		for _, namespace := range []string{"kube-system", system} {
			asked := func(labels string) string {
				output, err := c.Inside(server("web", labels, ""), "kubectl", "-n", namespace, "apply", "--dry-run=server", "-o",
					"jsonpath={.items[0].spec.initContainers[*].name}", "-f", "-")
				if err != nil || strings.Contains(output, "bodyguard-proxy") {
					t.Errorf("%v: kubectl says %s", err, output)
				}
				return output
			}
			if said := asked(`, sidecar.istio.io/inject: "true"`); !strings.Contains(said, "Warning: ") ||
				!strings.Contains(said, "pods of namespace "+namespace+" never get one") {
				t.Errorf("kubectl says %s", said)
			}
			for _, labels := range []string{"", `, sidecar.istio.io/inject: "false"`, ", istio.io/rev: canary"} {
				if said := asked(labels); strings.Contains(said, "Warning") {
					t.Errorf("who did not ask is told %s", said)
				}
			}
		}
	})
}

func injectAndApply(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace()
	command := filepath.Join(harness.Root, "bodyguard")
	once, err := c.Inside(server("web", "", ""), "bash", "-c", command+" inject - 2>/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	if twice, err := c.Inside(once, "bash", "-c", command+" inject - 2>/dev/null"); err != nil || twice != once {
		t.Errorf("injected again it is another text: %v", err)
	}
	c.Apply(namespace, once)
	c.Wait(namespace, "pod/web", "condition=Ready", time.Minute)
	if !hasSidecar(c, namespace, "web") {
		t.Errorf("the pod's containers are %s", containers(c, namespace, "web"))
	}
	if back, err := c.Inside(once, "bash", "-c", command+" uninject - 2>/dev/null"); err != nil || back != server("web", "", "") {
		t.Errorf("uninject(inject(x)) is not x: %v: %s", err, back)
	}
}

func injectorAway(t *testing.T) {
	c := harness.Kube(t)
	asking, shouting, other := c.Namespace("istio-injection=enabled"), c.Namespace("istio-injection=Enabled"), c.Namespace()
	annotated, declining := c.Namespace(), c.Namespace("bodyguard.dev/inject=disabled")
	for _, namespace := range []string{annotated, declining} {
		c.Kubectl("annotate", "namespace", namespace, "bodyguard.dev/inject=enabled")
	}
	byRevision, byOwn, quiet := c.Namespace("istio.io/rev=default"), c.Namespace("bodyguard.dev/inject=enabled"), c.Namespace()
	byLinkerd := c.Namespace()
	c.Kubectl("annotate", "namespace", byLinkerd, "linkerd.io/inject=enabled")
	c.Kubectl("-n", system, "scale", "deployment/bodyguard-injector", "--replicas=0")
	c.Kubectl("-n", system, "wait", "pod", "-l", "app=injector", "--for=delete", "--timeout=60s")
	for _, namespace := range []string{asking, shouting, annotated} {
		if output, err := c.Inside(server("web", "", ""), "kubectl", "-n", namespace, "apply", "-f", "-"); err == nil {
			t.Errorf("%s: a pod that asked for a sidecar was taken without: %s", namespace, output)
		} else {
			t.Log(output)
		}
	}
	// Every other way of asking.
	for _, asks := range []struct{ namespace, pod string }{
		{byRevision, server("web", "", "")},
		{byOwn, server("web", "", "")},
		{byLinkerd, server("web", "", "")},
		{quiet, server("web", ", bodyguard.dev/inject: enabled", "")},
		{quiet, server("web", `, sidecar.istio.io/inject: "true"`, "")},
		{quiet, server("web", ", istio.io/rev: default", "")},
		{quiet, server("web", "", "bodyguard.dev/inject: enabled")},
		{quiet, server("web", "", `sidecar.istio.io/inject: "true"`)},
		{quiet, server("web", "", "linkerd.io/inject: ingress")},
	} {
		if output, err := c.Inside(asks.pod, "kubectl", "-n", asks.namespace, "apply", "--dry-run=server", "-f", "-"); err == nil {
			t.Errorf("%s: a pod that asked for a sidecar would be taken without: %s\n%s", asks.namespace, asks.pod, output)
		}
	}
	// Who only might be warned is not kept waiting.
	if said := c.Apply(asking, workload("Deployment", "", "sidecar.istio.io/logLevel: debug")); strings.Contains(said, "Warning") {
		t.Errorf("kubectl says %s", said)
	}
	// Whoever did not ask, or declined, starts without it.
	for _, namespace := range []string{other, declining} {
		c.Apply(namespace, server("web", "", ""))
	}
	for _, namespace := range []string{asking, annotated} {
		c.Apply(namespace, server("declines", "", "linkerd.io/inject: disabled")+"---"+server("elsewhere", ", istio.io/rev: canary", ""))
	}
	c.Kubectl("-n", system, "scale", "deployment/bodyguard-injector", "--replicas=1")
	c.RolledOut(system, "deployment/bodyguard-injector", time.Minute)
	harness.Eventually(t, time.Minute, "pods are injected again", func() bool {
		_, err := c.Inside(server("web", "", ""), "kubectl", "-n", asking, "apply", "-f", "-")
		return err == nil && hasSidecar(c, asking, "web")
	})
}

// probe is what a pod's probe got from a URL.
func probe(c harness.Cluster, namespace, pod, url string) (string, error) {
	return c.Exec(harness.Pod{Namespace: namespace, Name: pod, Container: "app"}, "/probe", "get", url)
}

func mutualTLS(t *testing.T) {
	c := harness.Kube(t)
	namespace, plain := c.Namespace("istio-injection=enabled"), c.Namespace()
	c.Apply(namespace, server("web", "", "")+"---"+server("client", "", ""))
	c.Apply(plain, server("stranger", "", ""))
	c.Wait(namespace, "pod/web", "condition=Ready", time.Minute)
	c.Wait(namespace, "pod/client", "condition=Ready", time.Minute)
	c.Wait(plain, "pod/stranger", "condition=Ready", time.Minute)
	url := "http://web." + namespace + "/"
	harness.Eventually(t, 20*time.Second, "a member and a stranger get their answer", func() bool {
		_, member := probe(c, namespace, "client", url)
		_, stranger := probe(c, plain, "stranger", url)
		return member == nil && stranger == nil
	})
	c.Apply(namespace, `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict}
spec: {mtls: {mode: STRICT}}
`)
	harness.Eventually(t, 20*time.Second, "the stranger is refused", func() bool {
		_, err := probe(c, plain, "stranger", url)
		return err != nil
	})
	if answer, err := probe(c, namespace, "client", url); err != nil {
		t.Errorf("a member is refused: %v", err)
	} else {
		t.Log(answer)
	}
	// Nor by the pod's address, of which Services know nothing.
	address := c.Get(namespace, "pod/web", ".status.podIP")
	if answer, err := probe(c, plain, "stranger", "http://"+address+":8080/"); err == nil {
		t.Errorf("a stranger that calls the pod's address gets %s", answer)
	}
	// The same policy tried, which forbids nothing, and meant.
	const nobody = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, annotations: {istio.io/dry-run: "%t"}}
spec:
  selector: {matchLabels: {app: web}}
  rules: [{from: [{source: {principals: [cluster.local/ns/nowhere/sa/nobody]}}]}]
`
	c.Apply(namespace, fmt.Sprintf(nobody, true))
	c.Wait(namespace, "authorizationpolicy/nobody", "condition=Programmed", 30*time.Second)
	if said := c.Get(namespace, "authorizationpolicy/nobody", `.status.conditions[?(@.type=="Accepted")].message`); !strings.Contains(said, "the policy is not enforced, as asked") {
		t.Errorf("the policy's condition says %s", said)
	}
	if answer, err := probe(c, namespace, "client", url); err != nil {
		t.Errorf("a policy that is only tried refuses a member: %v: %s", err, answer)
	}
	c.Apply(namespace, fmt.Sprintf(nobody, false))
	harness.Eventually(t, 20*time.Second, "a member without permission gets a 403", func() bool {
		answer, err := probe(c, namespace, "client", url)
		return err != nil && strings.Contains(answer, "403")
	})
}

func capture(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, server("web", "", "")+"---"+server("client", "", "")+"---"+server("transparent", "", "sidecar.istio.io/interceptionMode: TPROXY"))
	for _, pod := range []string{"web", "client", "transparent"} {
		c.Wait(namespace, "pod/"+pod, "condition=Ready", time.Minute)
	}
	for _, url := range []string{"http://web/", "http://web." + namespace + ".svc.cluster.local/", "http://transparent/", "http://client/"} {
		harness.Eventually(t, 20*time.Second, url+" is answered", func() bool {
			_, err := probe(c, namespace, "client", url)
			return err == nil
		})
	}
	// An app that calls 127.0.0.1:80 and means a service of the mesh.
	answer, err := c.Exec(harness.Pod{Namespace: namespace, Name: "client", Container: "app"}, "wget", "-q", "-O", "-", "--header", "Host: web", "http://127.0.0.1/")
	if err != nil || !strings.Contains(answer, "name=web") {
		t.Errorf("127.0.0.1:80 with Host web: %v: %s", err, answer)
	}
	// Both families.
	for _, address := range strings.Fields(c.Get(namespace, "pod/web", ".status.podIPs[*].ip")) {
		if strings.Contains(address, ":") {
			address = "[" + address + "]"
		}
		// The world calls port 80, behind which the app's 8080 is.
		for _, port := range []string{":8080", ""} {
			if _, err := probe(c, namespace, "client", "http://"+address+port+"/"); err != nil {
				t.Errorf("%s%s: %v", address, port, err)
			}
		}
	}
	for pod, way := range map[string]string{"web": "REDIRECT", "transparent": "TPROXY"} {
		if said := c.Kubectl("-n", namespace, "logs", pod, "-c", "bodyguard-proxy"); !strings.Contains(said, " by "+way+" as ") {
			t.Errorf("%s is not captured by %s: %s", pod, way, said)
		}
	}
}

// A sidecar among the app's own containers holds them until it is ready: the first call of an app that calls at once goes through it.
func classic(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, server("web", "", "")+`
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict}
spec: {mtls: {mode: STRICT}}
`)
	c.Wait(namespace, "pod/web", "condition=Ready", time.Minute)
	c.Apply(namespace, `
apiVersion: v1
kind: Pod
metadata: {name: eager, annotations: {sidecar.istio.io/nativeSidecar: "false"}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: localhost/probe:1, command: [/bin/sh, -c, "/probe get http://web/ && exec /probe serve :8080 eager"]}
`)
	if names := c.Get(namespace, "pod/eager", ".spec.containers[*].name"); names != "bodyguard-proxy app" {
		t.Fatalf("the pod's containers are %s", names)
	}
	c.Wait(namespace, "pod/eager", "condition=Ready", 90*time.Second)
	if restarts := c.Get(namespace, "pod/eager", ".status.containerStatuses[*].restartCount"); restarts != "0 0" {
		t.Errorf("restarts of the containers: %s", restarts)
	}
	harness.Eventually(t, 20*time.Second, "the app's first call was answered", func() bool {
		return strings.Contains(c.Logs(harness.Pod{Namespace: namespace, Name: "eager", Container: "app"}), "name=web")
	})
}

func jobs(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, server("web", "", "")+`
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  backoffLimit: 4
  template:
    spec:
      restartPolicy: OnFailure
      containers:
      - {name: app, image: localhost/probe:1, command: [/probe, get, "http://web/"]}
`)
	c.Wait(namespace, "job/once", "condition=Complete", 90*time.Second)
}

func mistake(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace()
	c.Apply(namespace, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: good}
spec:
  hosts: [web]
  http: [{route: [{destination: {host: web}}]}]
`)
	c.Wait(namespace, "virtualservice/good", "condition=Accepted", 30*time.Second)
	c.Apply(namespace, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: late}
spec:
  hosts: [web]
  http: [{match: [{uri: {regex: "(["}}], route: [{destination: {host: web}}]}]
`)
	c.Wait(namespace, "virtualservice/late", "condition=Accepted=false", 30*time.Second)
	t.Log(c.Get(namespace, "virtualservice/late", ".status.conditions"))
}

// Everything but capture runs under the restricted Pod Security standard.
func restricted(t *testing.T) {
	c := harness.Kube(t)
	output := c.Kubectl("label", "--dry-run=server", "--overwrite", "namespace", system, "pod-security.kubernetes.io/enforce=restricted")
	if strings.Contains(output, "Warning") {
		t.Errorf("kubectl says %s", output)
	}
}
