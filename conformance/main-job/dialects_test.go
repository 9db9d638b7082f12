package mainjob

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// The story of the sample as ServiceProfile and TrafficSplit: all to v2 until the weights are edited, every GET answered.
func TestSameStoryInLinkerdsWords(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	tellsTheStory(t, m, "mesh-linkerd", "payments.yaml")
}

// The same as HTTPRoute; and beside a VirtualService the HTTPRoute wins, which is said in one line.
func TestSameStoryInGatewaysWords(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	tellsTheStory(t, m, "mesh-gateway", "route.yaml")

	line := regexp.MustCompile(`(?m)^.*payments\.yaml.*VirtualService default/payment-vs: not in force.*HTTPRoute default/payment-route \(route\.yaml:.*$`)
	said := line.FindAllString(m.Plane.Output(), -1)
	if len(said) != 1 {
		t.Errorf("%d lines about the VirtualService that lost, want 1:\n%s", len(said), m.Plane.Output())
	} else {
		t.Log(said[0])
	}
	output, err := m.Asked("check")
	warned := regexp.MustCompile(`(?m)^WARN  what authors wrote is in force: .*VirtualService default/payment-vs: not in force.*HTTPRoute default/payment-route \(route\.yaml:.*$`)
	if err != nil || !warned.MatchString(output) {
		t.Errorf("check does not warn of the VirtualService that lost: %v\n%s", err, output)
	}
}

// What a Service's annotations say of retries holds where nobody says otherwise, in whatever words; whoever does wins, and
// each loser is named with the winner.
func TestAnnotationsHoldWhereNoRuleSaysOtherwise(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	m.Join("payment-service", "v2", "v2", nil, "--fail-every", "3")
	checkout := m.Join("checkout", "v1", "a", nil)
	client := checkout.Through(1)
	service := func(annotations string) {
		m.Write("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: payment-service, annotations: {"+annotations+
			"}}\nspec: {selector: {app: payment-service}, ports: [{name: http, port: 80}]}\n")
	}
	failed := func() int {
		n := 0
		for range 30 {
			if ask(t, client, "GET", "http://payment-service/pay").status == 503 {
				n++
			}
		}
		return n
	}
	fails := func(why string) {
		t.Helper()
		Eventually(t, 10*time.Second, why+": every third fails", func() bool { return failed() == 10 })
	}
	holds := func(why string) {
		t.Helper()
		Eventually(t, 10*time.Second, why+": none fails", func() bool { return failed() == 0 })
	}
	names := func(loser string) {
		t.Helper()
		t.Log(m.Plane.Says(`(?m)^.*WARN .*`+loser+`.*$`, 5*time.Second))
	}
	route := func(rule string) {
		m.Write("route.yaml", `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec: {parentRefs: [{group: "", kind: Service, name: payment-service}], rules: [{backendRefs: [{name: payment-service, port: 80}]`+rule+`}]}
`)
	}
	gone := func(file string) {
		t.Helper()
		if err := os.Remove(filepath.Join(m.YAML, file)); err != nil {
			t.Fatal(err)
		}
	}
	const ofRetries = `service\.yaml:.*Service default/payment-service: metadata\.annotations: what annotations say of retries is not in force .*`

	gone("payments.yaml")
	service("")
	fails("nobody says anything")
	service(`retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: "3"`)
	holds("the annotation says so")
	route(", retry: {attempts: 0}")
	fails("an HTTPRoute says never")
	names(ofRetries + `HTTPRoute default/route \(route\.yaml:.*HTTPRoute wins over annotations of a Service`)
	route("")
	holds("the HTTPRoute says nothing")
	gone("route.yaml")
	m.Write("profile.yaml", "apiVersion: linkerd.io/v1alpha2\nkind: ServiceProfile\nmetadata: {name: payment-service.default.svc.cluster.local}\nspec: {routes: [{name: all, condition: {pathRegex: /.*}}]}\n")
	fails("a ServiceProfile speaks")
	names(ofRetries + `ServiceProfile default/payment-service\.default.*ServiceProfile wins over annotations of a Service`)
	m.Write("virtual.yaml", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: virtual}\nspec: {hosts: [payment-service], http: [{route: [{destination: {host: payment-service}}]}]}\n")
	holds("a VirtualService speaks, and says nothing of retries")
	names(`ServiceProfile default/payment-service\.default.*: not in force .*VirtualService default/virtual`)
	route(", retry: {attempts: 0}")
	fails("an HTTPRoute wins over it")
	names(`VirtualService default/virtual: not in force .*HTTPRoute default/route`)
}

// tellsTheStory puts a dialect's files into a mesh, the one with the weights under the given name, and edits it.
func tellsTheStory(t *testing.T, m *Mesh, folder, name string) {
	t.Helper()
	read := func(file string) string {
		content, err := os.ReadFile(filepath.Join(Root, "samples/payments", folder, file))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	weights := func(v1, v2 string) string {
		yaml := read("payments.yaml")
		edited := strings.NewReplacer("weight: 0\n", "weight: "+v1+"\n", "weight: 100\n", "weight: "+v2+"\n").Replace(yaml)
		if v1 != "0" && edited == yaml {
			t.Fatal("the sample has no weights to edit")
		}
		return edited
	}
	m.Join("payment-service", "v1", "v1", nil)
	v2 := m.Join("payment-service", "v2", "v2", nil, "--fail-every", "3")
	checkout := m.Join("checkout", "v1", "a", nil)
	shareOfV1 := func(requests int) float64 {
		ofV1 := 0
		for i := range requests {
			status, got, err := checkout.Buy(Outside, "GET")
			if err != nil || status != 200 {
				t.Fatalf("request %d: %d %+v %v", i, status, got, err)
			}
			if got.PaymentVersion == "v1" {
				ofV1++
			}
		}
		return float64(ofV1) / float64(requests)
	}
	shareBecomes := func(what string, least, most float64) {
		t.Helper()
		Eventually(t, 5*time.Second, what, func() bool {
			share := shareOfV1(40)
			return share >= least && share <= most
		})
	}

	Eventually(t, 30*time.Second, "v2 answers, as Istio's words say", func() bool {
		status, got, err := checkout.Buy(Outside, "GET")
		return err == nil && status == 200 && got.PaymentVersion == "v2"
	})
	// What Istio's words never said tells that the others are heard.
	m.Write("services.yaml", read("services.yaml"))
	m.Write(name, weights("100", "0"))
	shareBecomes("all go to v1", 1, 1)
	m.Write(name, weights("0", "100"))
	shareBecomes("all go to v2", 0, 0)
	failed := v2.Stats().Failed
	if share := shareOfV1(300); share != 0 {
		t.Errorf("%.3f went to v1 at weights 0 and 100", share)
	}
	if now := v2.Stats().Failed; now-failed < 100 {
		t.Errorf("v2 failed %d times during 300 requests, so there was little to hide", now-failed)
	}
	m.Write(name, weights("50", "50"))
	shareBecomes("the share moves", 0.2, 0.8)
	if share := shareOfV1(400); share < 0.4 || share > 0.6 {
		t.Errorf("the share of v1 is %.3f, want half", share)
	}
	m.Write(name, weights("0", "100"))
	shareBecomes("all go to v2 again", 0, 0)
	backendPolicyHolds(t, m, checkout, "payment-service-v2")
}

// backendPolicyHolds writes a DestinationRule for whom the routes lead to: it is in force whatever words those are in.
func backendPolicyHolds(t *testing.T, m *Mesh, checkout *Workload, host string) {
	t.Helper()
	client := checkout.Through(16)
	overflows := func() int {
		var refused atomic.Int64
		var all sync.WaitGroup
		for range 64 {
			all.Add(1)
			go func() {
				defer all.Done()
				response, err := client.Get("http://payment-service/pay")
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				if response.StatusCode == 503 && response.Header.Get("x-bodyguard-flag") == "UO" {
					refused.Add(1)
				}
			}()
		}
		all.Wait()
		return int(refused.Load())
	}
	if n := overflows(); n > 0 {
		t.Errorf("%d of 64 requests were too many before anybody said how many are", n)
	}
	m.Write("pool.yaml", "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: pool}\nspec: {host: "+host+
		", trafficPolicy: {connectionPool: {http: {http2MaxRequests: 1}}}}\n")
	Eventually(t, 10*time.Second, "no more than one request at a time goes to "+host, func() bool { return overflows() > 0 })
	if err := os.Remove(filepath.Join(m.YAML, "pool.yaml")); err != nil {
		t.Fatal(err)
	}
	Eventually(t, 10*time.Second, "as many go there as come", func() bool { return overflows() == 0 })
}
