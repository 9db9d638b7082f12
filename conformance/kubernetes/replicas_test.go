package kubernetes

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// Whoever asks for web is answered by a service.
func leadingTo(service string) string {
	return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http: [{route: [{destination: {host: %s}}]}]
`, service)
}

// A pod that calls web ten times a second, and says what failed once it went well.
const caller = `
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: localhost/probe:1
    command: [/bin/sh, -c, "until /probe get http://web/; do sleep 0.5; done; echo calling; while :; do /probe get http://web/ || echo failed at $(date); sleep 0.1; done"]
`

// called is how many of the caller's calls went well, and what it says of the others.
func called(c harness.Cluster, namespace string) (calls int, failed []string) {
	_, text, _ := strings.Cut(c.Logs(harness.Pod{Namespace: namespace, Name: "caller", Container: "app"}), "calling\n")
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		switch {
		case strings.HasPrefix(line, "name="):
			calls++
		case line != "":
			failed = append(failed, line)
		}
	}
	return calls, failed
}

// replicas are the pods of a service of the control plane, less those that are on their way out: name to address.
func replicas(c harness.Cluster, service string) map[string]string {
	found := map[string]string{}
	for _, line := range strings.Split(c.Kubectl("-n", system, "get", "pods", "-l", "app="+service, "-o",
		`go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}} {{.status.podIP}}{{"\n"}}{{end}}{{end}}`), "\n") {
		if name, address, told := strings.Cut(line, " "); told {
			found[name] = address
		}
	}
	return found
}

// other is a pod of a service that is not the one that is named; none where there is no other.
func other(c harness.Cluster, service, than string) string {
	for name := range replicas(c, service) {
		if name != than {
			return name
		}
	}
	return ""
}

// served is how many proxies each config serves, by its pod.
func served(c harness.Cluster) map[string]int {
	found := map[string]int{}
	for name, address := range replicas(c, "config") {
		answer, err := c.Curl("http://" + address + ":15022/proxies")
		var proxies []any
		if err == nil && json.Unmarshal([]byte(answer), &proxies) == nil {
			found[name] = len(proxies)
		}
	}
	return found
}

// scaled brings the release to the default profile with these values.
func scaled(t *testing.T, c harness.Cluster, values string) {
	t.Helper()
	helm(t, c, "upgrade", "bodyguard", chart("bodyguard"), "--namespace", system, "--set", values, "--wait", "--timeout", "2m")
}

// newProxiesGoTo leads streams that begin to the config pods with a label, in JSON; null takes that back.
func newProxiesGoTo(c harness.Cluster, label string) {
	c.Kubectl("-n", system, "patch", "service", "bodyguard-config", "-p", `{"spec":{"selector":{"test":`+label+`}}}`)
}

// Two of each that may be two, from one and back: no request fails, one status tells of both configs' proxies, one of two does.
func severalReplicas(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, server("web", "", "")+"---"+server("other", "", "")+"---"+caller+"---"+leadingTo("web"))
	for _, pod := range []string{"web", "other", "caller"} {
		c.Wait(namespace, "pod/"+pod, "condition=Ready", time.Minute)
	}
	harness.Eventually(t, 20*time.Second, "web is called", func() bool { calls, _ := called(c, namespace); return calls > 0 })
	answered := func(by string) bool {
		for _, pod := range []string{"caller", "late"} {
			if answer, err := probe(c, namespace, pod, "http://web/"); err != nil || !strings.Contains(answer, "name="+by+" ") {
				return false
			}
		}
		return true
	}
	const condition = `{.status.conditions[?(@.type=="Programmed")]`
	told := condition + `.observedGeneration} ` + condition + `.status} ` + condition + `.message}{"\n"}`
	everywhere := func() string {
		return c.Get(namespace, "virtualservice/web", ".metadata.generation") + " True 4 of 4 proxies"
	}
	programmed := func() {
		t.Helper()
		harness.Eventually(t, 20*time.Second, "the newest version is programmed on all four proxies", func() bool {
			return strings.TrimSpace(c.Kubectl("-n", namespace, "get", "virtualservice", "web", "-o", "jsonpath="+told)) == everywhere()
		})
	}

	began := time.Now()
	first := other(c, "config", "")
	scaled(t, c, "config.replicas=2,injector.replicas=2,identity.replicas=2")
	t.Logf("two of each after %s", time.Since(began))
	second := other(c, "config", first)
	// Which config a stream comes to is chance otherwise.
	c.Kubectl("-n", system, "label", "pod", second, "test=second")
	newProxiesGoTo(c, `"second"`)
	defer newProxiesGoTo(c, "null")

	// One injector of two goes: whoever comes meanwhile gets a sidecar nevertheless. Not asked in the moment that it ends, when its
	// server drops what it was asked just then.
	output, err := c.Inside(server("late", "", ""), "bash", "-c", fmt.Sprintf(
		`pod=$(cat)
		asked() { kubectl -n %[3]s create --dry-run=server -f - -o 'jsonpath={.spec.initContainers[*].name}{"\n"}' <<<"${pod//: late/: later}" || echo refused; }
		kubectl -n %[1]s delete pod %[2]s --wait=false >/dev/null; kubectl -n %[3]s create -f - <<<"$pod"
		asked; while ((SECONDS < 2)); do asked; done; kubectl -n %[1]s wait pod %[2]s --for=delete; for i in {1..5}; do asked; done`,
		system, other(c, "injector", ""), namespace))
	if err != nil || strings.Contains(output, "refused") || strings.Count(output, "bodyguard-proxy") < 6 || !hasSidecar(c, namespace, "late") {
		t.Errorf("while an injector goes not every pod gets a sidecar: %v: %s", err, output)
	}
	t.Logf("injectors that are ready: %s", c.Get(system, "deployment/bodyguard-injector", ".status.readyReplicas"))
	c.Wait(namespace, "pod/late", "condition=Ready", time.Minute)
	harness.Eventually(t, 30*time.Second, "one config has three proxies, the other one", func() bool {
		proxies := served(c)
		return proxies[first] == 3 && proxies[second] == 1
	})
	newProxiesGoTo(c, "null")

	// An edit is in force by both configs, and the status is of all proxies from its first word on.
	programmed()
	watch := harness.Start(t, "watch", filepath.Join(harness.Root, "conformance/cluster/kin"),
		"kubectl", "-n", namespace, "get", "virtualservice", "web", "--watch", "-o", "jsonpath="+told)
	watch.Says(everywhere(), 10*time.Second)
	c.Apply(namespace, leadingTo("other"))
	harness.Eventually(t, 10*time.Second, "an edit is in force by both configs", func() bool { return answered("other") })
	programmed()
	watch.Says(everywhere(), 10*time.Second)
	for _, line := range strings.Split(watch.Output(), "\n") {
		if _, proxies, is := strings.Cut(line, " True "); is && proxies != "4 of 4 proxies" {
			t.Errorf("the status said of one config's proxies that they are all: %s", line)
		}
	}

	// One config of two goes.
	c.Kubectl("-n", system, "delete", "pod", first, "--wait=false")
	went := time.Now()
	c.Apply(namespace, leadingTo("web"))
	harness.Eventually(t, 10*time.Second, "an edit is in force by the config that is left", func() bool { return answered("web") })
	t.Logf("an edit is in force %s after a config was deleted", time.Since(went))
	programmed()

	scaled(t, c, "config.replicas=1")
	harness.Eventually(t, 30*time.Second, "one config has all proxies", func() bool {
		proxies := served(c)
		return len(proxies) == 1 && proxies[other(c, "config", "")] == 4
	})
	programmed()
	if calls, failed := called(c, namespace); len(failed) > 0 || calls < 50 {
		t.Errorf("%d calls went well, and these did not: %s", calls, harness.Tail(strings.Join(failed, "\n"), 20))
	} else {
		t.Logf("%d calls in %s", calls, time.Since(began))
	}
	// Also a node with the only pod of a service can be drained.
	harness.Eventually(t, 10*time.Second, "one pod of each service may be evicted", func() bool {
		return c.Kubectl("-n", system, "get", "poddisruptionbudgets", "-o", "jsonpath={.items[*].status.disruptionsAllowed}") == "1 1 1 1 1"
	})
}
