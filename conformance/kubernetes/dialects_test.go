package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// Routes in the words of others than Istio, beside one another: of web half goes to the other pod by Gateway API, whose kinds are as
// released, and all of ledger by SMI. Without them both names lead to the first.
const others = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: ledger}
spec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{group: "", kind: Service, name: web}]
  rules: [{backendRefs: [{name: one, port: 80, weight: 50}, {name: two, port: 80, weight: 50}]}]
---
apiVersion: split.smi-spec.io/v1alpha2
kind: TrafficSplit
metadata: {name: ledger}
spec:
  service: ledger
  backends: [{service: one, weight: 0}, {service: two, weight: 100}]
`

// Gateway API's kinds come after the mesh, as its documents do in a cluster that had no use for them before.
func dialects(t *testing.T) {
	c := harness.Kube(t)
	var kinds []string
	for _, kind := range []string{"httproutes", "grpcroutes", "referencegrants"} {
		kinds = append(kinds, "-f", filepath.Join(os.Getenv("GATEWAY_API"), "gateway.networking.k8s.io_"+kind+".yaml"))
	}
	c.Kubectl(append([]string{"apply", "--server-side"}, kinds...)...)
	t.Cleanup(func() { c.Kubectl(append([]string{"delete"}, kinds...)...) })
	c.Kubectl("wait", "customresourcedefinition/httproutes.gateway.networking.k8s.io", "--for", "condition=Established", "--timeout", "20s")
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, server("one", "", "")+"---"+server("two", "", "")+"---"+server("client", "", ""))
	c.Apply(namespace, others)
	for _, pod := range []string{"one", "two", "client"} {
		c.Wait(namespace, "pod/"+pod, "condition=Ready", time.Minute)
	}
	answers := func(service string, requests int) (one, two int) {
		output, err := c.Exec(harness.Pod{Namespace: namespace, Name: "client", Container: "app"}, "/probe", "get", "http://"+service+"/", fmt.Sprint(requests))
		if err != nil {
			return 0, 0
		}
		return strings.Count(output, "name=one "), strings.Count(output, "name=two ")
	}

	var one, two int
	harness.Eventually(t, 20*time.Second, "the HTTPRoute divides web's calls", func() bool {
		one, two = answers("web", 60)
		return one > 15 && two > 15
	})
	t.Logf("by HTTPRoute one answered %d, two %d", one, two)
	harness.Eventually(t, 20*time.Second, "the TrafficSplit leads ledger's calls to two", func() bool {
		one, two = answers("ledger", 20)
		return one == 0 && two == 20
	})

	losing(c, namespace)

	for _, condition := range []string{"Accepted", "Programmed"} {
		harness.Eventually(t, 30*time.Second, "the HTTPRoute is "+condition, func() bool {
			return c.Get(namespace, "httproute/web", conditionOfParent(condition)) == "True"
		})
	}
	t.Log(c.Get(namespace, "httproute/web", ".status.parents[*].conditions"))
	c.Wait(namespace, "trafficsplit/ledger", "condition=Accepted", 30*time.Second)
	// Gateway API has each of those who write there say who they are.
	if who := c.Get(namespace, "httproute/web", ".status.parents[*].controllerName"); who != "bodyguard.dev/controller" {
		t.Errorf("the HTTPRoute's status is written by %q", who)
	}
}

// A TrafficSplit says in its status how it fares, and who speaks for its host once somebody does. Of what comes first in the order of
// dialects docs/architecture.md tells.
func losing(c harness.Cluster, namespace string) {
	for _, condition := range []string{"Accepted", "Programmed", "Overridden=false"} {
		c.Wait(namespace, "trafficsplit/ledger", "condition="+condition, 30*time.Second)
	}
	c.Apply(namespace, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ledger}
spec: {hosts: [ledger], http: [{route: [{destination: {host: one}}]}]}
`)
	c.Wait(namespace, "trafficsplit/ledger", "condition=Overridden", 30*time.Second)
	if why := c.Get(namespace, "trafficsplit/ledger", `.status.conditions[?(@.type=="Overridden")].message`); !strings.Contains(why, "VirtualService "+namespace+"/ledger") {
		c.T.Errorf("the TrafficSplit is overridden: %s", why)
	}
}

func conditionOfParent(name string) string {
	return fmt.Sprintf(`.status.parents[?(@.parentRef.name=="web")].conditions[?(@.type==%q)].status`, name)
}
