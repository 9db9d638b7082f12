package kubernetes

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// kinds are the definitions that our chart of kinds has brought, whoever holds them now.
func kinds(c harness.Cluster) []string {
	return strings.Fields(c.Kubectl("get", "customresourcedefinitions", "-l", "app.kubernetes.io/part-of=bodyguard",
		"-o", `jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}`))
}

// cleared fails the test where an earlier one has left kinds of ours, of which this one would not see that they stay.
func cleared(t *testing.T, c harness.Cluster) {
	t.Helper()
	if left := kinds(c); len(left) > 0 {
		t.Fatalf("an earlier test has left %v", left)
	}
}

// The default profile by the command line, with certificates that live for a minute, and away again: not while a template holds the
// sidecar; then with documents that somebody wrote, which stay with their kinds and their namespace, then with fewer, then with all.
func TestInstallAndUninstall(t *testing.T) {
	c := harness.Kube(t)
	cleared(t, c)
	namespace, offline := c.Namespace("istio-injection=enabled"), c.Namespace()
	for _, one := range []string{namespace, offline} {
		harness.Eventually(t, 10*time.Second, "the namespace is complete", func() bool {
			_, err := c.Inside("", "kubectl", "-n", one, "get", "serviceaccount/default", "configmap/kube-root-ca.crt")
			return err == nil
		})
	}
	before := objects(c)
	began := time.Now()
	t.Log(bodyguard(t, c, "install", "--set", "profile=default", "--set", "mesh.certificateTTL=1m"))
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the mesh was ready after %s, wanted within a minute", took)
	} else {
		t.Logf("ready after %s", took)
	}
	gone := false
	t.Cleanup(func() {
		if !gone {
			c.Kubectl("-n", offline, "delete", "deployment", "--all")
			bodyguard(t, c, "uninstall", "--with-documents")
		}
	})
	brought := kinds(c)
	if len(brought) < 10 {
		t.Errorf("the chart brought only %v", brought)
	}

	t.Run("CertificatesAreRenewed", func(t *testing.T) { renewed(t, namespace) })
	t.Run("AnOverriddenRouteSaysByWhom", func(t *testing.T) { overridden(t, namespace) })

	t.Run("ATemplateWithTheSidecarIsInTheWay", func(t *testing.T) { inTheWay(t, offline) })
	c.Apply(system, `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default}
spec: {mtls: {mode: STRICT}}
`)

	said := bodyguard(t, c, "uninstall")
	t.Log(said)
	const routes, strictness = "virtualservices.networking.istio.io", "peerauthentications.security.istio.io"
	for _, line := range []string{
		fmt.Sprintf("%[1]s stays, for it holds %[2]s/late, %[2]s/web; kubectl delete customresourcedefinition %[1]s", routes, namespace),
		fmt.Sprintf("%[1]s stays, for it holds %[2]s/default; kubectl delete customresourcedefinition %[1]s", strictness, system),
		fmt.Sprintf("namespace %[1]s stays, for it holds PeerAuthentication/default; kubectl delete namespace %[1]s", system),
		"pods still have a sidecar",
	} {
		if !strings.Contains(said, line) {
			t.Errorf("uninstall does not say: %s", line)
		}
	}
	if left := kinds(c); !slices.Equal(left, []string{strictness, routes}) {
		t.Errorf("of a mesh with a PeerAuthentication and VirtualServices these kinds are left: %v", left)
	}
	if mode := c.Get(system, "peerauthentication/default", ".spec.mtls.mode"); mode != "STRICT" {
		t.Errorf("of the mesh's PeerAuthentication is left %q", mode)
	}
	harness.Eventually(t, time.Minute, "in the mesh's namespace is what somebody wrote, and what any namespace has", func() bool {
		left := in(system, objects(c))
		t.Log(left)
		return slices.Equal(left, []string{"ConfigMap kube-root-ca.crt", "PeerAuthentication default", "ServiceAccount default"})
	})
	// What was injected by hand, and is no more, starts again.
	c.Kubectl("-n", offline, "rollout", "restart", "deployment", "web")
	c.RolledOut(offline, "deployment/web", time.Minute)
	c.Kubectl("-n", offline, "delete", "deployment", "web")
	c.Kubectl("-n", namespace, "delete", "virtualservice", "late", "web")
	c.Kubectl("-n", namespace, "delete", "pod,service", "--all")
	if said := bodyguard(t, c, "uninstall"); strings.Contains(said, routes) || !strings.Contains(said, "namespace "+system+" stays") {
		t.Errorf("where only the mesh's PeerAuthentication is left uninstall says %s", said)
	}
	if left := kinds(c); !slices.Equal(left, []string{strictness}) {
		t.Errorf("of a mesh with a PeerAuthentication these kinds are left: %v", left)
	}
	if said := bodyguard(t, c, "uninstall", "--with-documents"); strings.Contains(said, "stays") {
		t.Errorf("uninstall --with-documents says %s", said)
	}
	gone = true
	if left := kinds(c); len(left) > 0 {
		t.Errorf("these kinds are left: %v", left)
	}
	harness.Eventually(t, time.Minute, "nothing of the mesh is left", func() bool { return len(difference(objects(c), before)) == 0 })
	if said := bodyguard(t, c, "uninstall"); strings.Contains(said, "stays") {
		t.Errorf("where there is no mesh uninstall says %s", said)
	}
}

// in is what stands in a namespace, kind and name.
func in(namespace string, objects []string) []string {
	var found []string
	for _, one := range objects {
		if kind, name, is := strings.Cut(one, " "+namespace+"/"); is {
			found = append(found, kind+" "+name)
		}
	}
	return found
}

// A Deployment that `bodyguard inject` gave its sidecar, so that its pods cannot start without the mesh: the mesh stays, whatever
// may be deleted, until what the refusal says has been typed.
func inTheWay(t *testing.T, namespace string) {
	c := harness.Kube(t)
	const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: localhost/probe:1
        command: [/probe, serve, ":8080", web]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: "/ready?at=once", port: 8080}, periodSeconds: 1}
`
	injected, err := c.Inside(deployment, "bash", "-c", filepath.Join(harness.Root, "bodyguard")+" inject - 2>/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(namespace, injected)
	c.RolledOut(namespace, "deployment/web", time.Minute)
	has := func() bool {
		return strings.Contains(c.Get(namespace, "deployment/web", ".spec.template.spec.initContainers[*].name"), "bodyguard-proxy")
	}
	if !has() {
		t.Fatalf("the Deployment has no sidecar: %s", injected)
	}
	mesh := func() []string { return append(kinds(c), in(system, objects(c))...) }
	before := mesh()
	wayOut := "kubectl -n " + namespace + " get deployment web -o yaml | bodyguard uninject - | kubectl replace -f -"
	for _, options := range [][]string{{}, {"--with-documents"}} {
		said, err := c.Inside("", append([]string{filepath.Join(harness.Root, "bodyguard"), "uninstall"}, options...)...)
		t.Log(said)
		if err == nil || !strings.Contains(said, "nothing was removed") || strings.Count(said, " | kubectl replace") != 1 ||
			!strings.Contains(said, "  "+wayOut+"\n") {
			t.Errorf("%v: uninstall %v says %s", err, options, said)
		}
	}
	if gone := difference(before, mesh()); len(gone) > 0 || len(before) < 20 {
		t.Errorf("of %d objects an uninstall that was refused removed %v", len(before), gone)
	}
	(&terminal{exported: "PATH=$PWD:$PATH; "}).typed(t, wayOut)
	c.RolledOut(namespace, "deployment/web", time.Minute)
	if has() {
		t.Errorf("the Deployment still has its sidecar")
	}
}

// Two routes for one host: the older one speaks for it, and the other says so.
func overridden(t *testing.T, namespace string) {
	c := harness.Kube(t)
	c.Apply(namespace, leadingTo("web"))
	c.Wait(namespace, "virtualservice/web", "condition=Accepted", 30*time.Second)
	created := c.Get(namespace, "virtualservice/web", ".metadata.creationTimestamp")
	harness.Eventually(t, 5*time.Second, "it is another second", func() bool { return time.Now().UTC().Format(time.RFC3339) > created })
	c.Apply(namespace, strings.Replace(leadingTo("web"), "{name: web}", "{name: late}", 1))
	c.Wait(namespace, "virtualservice/late", "condition=Overridden", 30*time.Second)
	message := c.Get(namespace, "virtualservice/late", `.status.conditions[?(@.type=="Overridden")].message`)
	t.Log(message)
	if !strings.Contains(message, "VirtualService "+namespace+"/web") {
		t.Errorf("the condition does not say by whom: %s", message)
	}
	if status := c.Get(namespace, "virtualservice/web", `.status.conditions[?(@.type=="Overridden")].status`); status != "False" {
		t.Errorf("Overridden of the one that is in force is %s", status)
	}
}

// The webhook's certificate, and one in a pod: once the first ones have run out the API server still gets its answers, and the pods
// theirs by mutual TLS.
func renewed(t *testing.T, namespace string) {
	c := harness.Kube(t)
	shown := func() (serial string, until time.Time) {
		address := c.Get(system, "service/bodyguard-injector", ".spec.clusterIP")
		output, err := c.Inside("", "bash", "-c", fmt.Sprintf("openssl s_client -connect %s:443 </dev/null 2>/dev/null | openssl x509 -noout -serial -enddate", address))
		if err != nil {
			t.Fatal(err)
		}
		serial, end, _ := strings.Cut(strings.TrimSpace(output), "\n")
		if until, err = time.Parse("Jan _2 15:04:05 2006 MST", strings.TrimPrefix(end, "notAfter=")); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		return serial, until
	}
	c.Apply(namespace, server("web", "", "")+"---"+server("client", "", "")+`
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict}
spec: {mtls: {mode: STRICT}}
`)
	for _, pod := range []string{"web", "client"} {
		c.Wait(namespace, "pod/"+pod, "condition=Ready", time.Minute)
	}
	first, until := shown()
	if life := time.Until(until); life > time.Minute {
		t.Fatalf("a certificate is to live for a minute, and the webhook's lives for %s more", life)
	}
	ready := time.Now()
	harness.Eventually(t, 2*time.Minute, "the first certificates have run out", func() bool {
		return time.Now().After(until) && time.Since(ready) > time.Minute
	})
	if second, later := shown(); second == first || time.Now().After(later) {
		t.Errorf("after %s the webhook shows %s until %s, and showed %s", until, second, later, first)
	}
	c.Apply(namespace, server("late", "", ""))
	if !hasSidecar(c, namespace, "late") {
		t.Errorf("the pod's containers are %s", containers(c, namespace, "late"))
	}
	c.Wait(namespace, "pod/late", "condition=Ready", time.Minute)
	for _, pod := range []string{"client", "late"} {
		harness.Eventually(t, 20*time.Second, pod+" is answered by mutual TLS", func() bool {
			_, err := probe(c, namespace, pod, "http://web/")
			return err == nil
		})
	}
	if kind := c.Get(namespace, "peerauthentication/strict", `.status.conditions[?(@.type=="Programmed")].status`); kind != "True" {
		t.Errorf("STRICT is not in force: %s", kind)
	}
	c.Kubectl("-n", namespace, "delete", "peerauthentication", "strict")
}
