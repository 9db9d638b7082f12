package kubernetes

import (
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// The whole control plane in one process serves a pod as the many do, where another mesh has brought a kind that ours knows.
func TestMinimalProfile(t *testing.T) {
	c := harness.Kube(t)
	const kind = "trafficsplits.split.smi-spec.io"
	theirs := helm(t, c, "template", "their-mesh", chart("bodyguard-crds"), "--show-only", "templates/"+kind+".yaml")
	c.Apply("default", strings.Replace(theirs, "part-of: bodyguard", "part-of: their-mesh", 1))
	t.Log(bodyguard(t, c, "install", "--set", "profile=minimal", "--set", "kinds.smi=false"))
	t.Cleanup(func() {
		if t.Failed() {
			c.Tell(system)
			t.Log(harness.Tail(c.Logs(harness.Pod{Namespace: system, Name: "deployment/bodyguard-combined"}), 40))
		}
		bodyguard(t, c, "uninstall", "--with-documents")
		c.Kubectl("get", "customresourcedefinition", kind)
		c.Kubectl("delete", "customresourcedefinition", kind)
	})
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, server("web", "", "")+"---"+server("client", "", ""))
	c.Wait(namespace, "pod/web", "condition=Ready", time.Minute)
	c.Wait(namespace, "pod/client", "condition=Ready", time.Minute)
	c.Apply(namespace, `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict}
spec: {mtls: {mode: STRICT}}
`)
	c.Wait(namespace, "peerauthentication/strict", "condition=Programmed", 30*time.Second)
	harness.Eventually(t, 20*time.Second, "a member is answered by mutual TLS", func() bool {
		_, err := probe(c, namespace, "client", "http://web/")
		return err == nil
	})
	enough(t, "combined", "injector")
}
