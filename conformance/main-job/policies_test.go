package mainjob

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// reply is an answer as a caller's app sees it.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request through a workload's sidecar.
func ask(t *testing.T, client *http.Client, method, url string) reply {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, strings.TrimSpace(string(body))}
}

// Who may ask payment-service for what is said in YAML, and holds within a moment of saving it.
func TestAuthorizationByPrincipalNamespaceMethodPath(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Launch("payment-service", "v2", "a", nil)
	checkout := m.Launch("checkout", "v1", "a", nil)
	refunds := m.Launch("refunds", "v1", "a", []string{"--namespace", "shop"})
	for _, w := range []*Workload{payment, checkout, refunds} {
		w.Ready(60 * time.Second)
	}
	byCheckout, byRefunds := checkout.Through(4), refunds.Through(4)
	const host = "http://payment-service.default.svc.cluster.local"
	if got := ask(t, byRefunds, "DELETE", host+"/admin"); got.status != 200 {
		t.Fatalf("without a policy anybody may: %d %s", got.status, got.body)
	}

	m.Write("who.yaml", `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers}
spec:
  selector: {matchLabels: {app: payment-service}}
  rules:
    - from: [{source: {principals: ["cluster.local/ns/default/sa/checkout"]}}]
    - from: [{source: {namespaces: [shop]}}]
      to: [{operation: {methods: [GET], paths: ["/pay", "/pay/*"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: bodyguard-system}
spec:
  action: DENY
  rules:
    - to: [{operation: {paths: ["/admin*", "/v1/users:delete", "/v1/%63ards%3Adelete"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: not-them}
spec:
  selector: {matchLabels: {app: payment-service}}
  action: DENY
  rules:
    - from: [{source: {principals: ["cluster.local/ns/default/sa/checkout"]}}]
      to: [{operation: {paths: [/pay/principal]}}]
    - from: [{source: {namespaces: [shop]}}]
      to: [{operation: {paths: [/pay/namespace]}}]
    - to: [{operation: {methods: [PATCH]}}]
`)
	saved := time.Now()
	Eventually(t, 5*time.Second, "the policy is in force", func() bool {
		return ask(t, byRefunds, "DELETE", host+"/pay").status == 403
	})
	t.Logf("in force %d ms after the save", time.Since(saved).Milliseconds())
	seen := payment.Stats().Requests

	for _, one := range []struct {
		who          string
		by           *http.Client
		method, path string
		status       int
		says         string
	}{
		{"a principal that is allowed", byCheckout, "POST", "/pay", 200, ""},
		{"a namespace that is allowed", byRefunds, "GET", "/pay/7?x=1", 200, ""},
		{"another method", byRefunds, "POST", "/pay", 403, "not allowed by any rule of AuthorizationPolicy default/callers"},
		{"another path", byRefunds, "GET", "/payroll", 403, "AuthorizationPolicy default/callers"},
		{"a denial beats what is allowed", byCheckout, "GET", "/admin", 403, "denied by AuthorizationPolicy bodyguard-system/no-admin spec.rules[0]"},
		{"dot segments", byCheckout, "GET", "/pay/../admin", 403, "no-admin"},
		{"two slashes", byCheckout, "GET", "//admin", 403, "no-admin"},
		{"an escaped letter", byCheckout, "GET", "/%61dmin", 403, "no-admin"},
		{"escaped dots and slashes", byCheckout, "GET", "/pay/%2e%2e%2fadmin", 403, "no-admin"},
		{"an escaped colon", byCheckout, "POST", "/v1/users%3Adelete", 403, "no-admin"},
		{"an escaped colon in lower case", byCheckout, "POST", "/v1/users%3adelete?x", 403, "no-admin"},
		{"what the policy has escaped", byCheckout, "POST", "/v1/cards:delete", 403, "no-admin"},
		{"a principal that is denied", byCheckout, "GET", "/pay/principal", 403, "denied by AuthorizationPolicy default/not-them spec.rules[0]"},
		{"who is not that principal", byRefunds, "GET", "/pay/principal", 200, ""},
		{"a namespace that is denied", byRefunds, "GET", "/pay/namespace", 403, "denied by AuthorizationPolicy default/not-them spec.rules[1]"},
		{"a method that is denied to all", byCheckout, "PATCH", "/pay", 403, "denied by AuthorizationPolicy default/not-them spec.rules[2]"},
		{"who is not of that namespace", byCheckout, "GET", "/pay/namespace", 200, ""},
		{"dot segments in what is allowed", byRefunds, "GET", "/pay/../secret", 403, "callers"},
	} {
		got := ask(t, one.by, one.method, host+one.path)
		if got.status != one.status || !strings.Contains(got.body, one.says) {
			t.Errorf("%s: %s %s: %d %s, want %d %s", one.who, one.method, one.path, got.status, got.body, one.status, one.says)
		}
		if one.status == 403 && (!strings.HasPrefix(got.body, "RBAC: spiffe://cluster.local/ns/") || strings.Contains(got.body, "who.yaml")) {
			t.Errorf("%s: its body: %s", one.who, got.body)
		}
	}
	if reached := payment.Stats().Requests - seen; reached != 4 {
		t.Errorf("%d requests reached the app, want the four that are allowed", reached)
	}
	Eventually(t, 5*time.Second, "the callee's log has the rule and its place", func() bool {
		for _, line := range payment.AccessLog() {
			if line["response_flags"] == "RBAC" &&
				line["rule"] == "AuthorizationPolicy bodyguard-system/no-admin spec.rules[0] (who.yaml:18:7)" {
				return true
			}
		}
		return false
	})
	for _, line := range checkout.AccessLog() {
		if line["response_code"] == 403.0 && line["attempts"] != 1.0 {
			t.Errorf("a refusal was tried again: %v", line)
		}
	}

	m.Write("who.yaml", `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers}
spec:
  rules:
    - from: [{source: {principals: []}}]
`)
	m.Plane.Says(`who\.yaml:7:\d+: AuthorizationPolicy default/callers: spec\.rules\[0]\.from\[0]\.source\.principals: .*empty`, 5*time.Second)
	if got := ask(t, byRefunds, "POST", host+"/pay"); got.status != 403 {
		t.Errorf("after a mistake the last good policy does not hold: %d", got.status)
	}

	m.Write("who.yaml", "")
	Eventually(t, 5*time.Second, "without the policies anybody may again", func() bool {
		return ask(t, byRefunds, "DELETE", host+"/admin").status == 200
	})
}

// A policy that was never understood lets nobody in, whether it is written so or a control plane that remembers no other
// finds it so.
func TestPolicyNotUnderstoodLetsNobodyIn(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Launch("payment-service", "v2", "a", nil)
	checkout := m.Launch("checkout", "v1", "a", nil)
	for _, w := range []*Workload{payment, checkout} {
		w.Ready(60 * time.Second)
	}
	client := checkout.Through(4)
	const url = "http://payment-service.default.svc.cluster.local/pay"
	policy := func(rule string) string {
		return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers}
spec:
  selector: {matchLabels: {app: payment-service}}
  rules: ` + rule + "\n"
	}
	refused := func(got reply) bool {
		return got.status == 403 && strings.Contains(got.body, "denied by AuthorizationPolicy default/callers (not understood)")
	}
	Eventually(t, 20*time.Second, "without a policy anybody may", func() bool { return ask(t, client, "GET", url).status == 200 })

	m.Write("who.yaml", policy("anybody"))
	Eventually(t, 5*time.Second, "nobody is let in", func() bool { return refused(ask(t, client, "GET", url)) })
	m.Plane.Says(`who\.yaml:7:10: AuthorizationPolicy default/callers: spec\.rules: .*; until it is corrected, the workloads that it is about refuse every request`, 5*time.Second)

	m.Write("who.yaml", policy("[{}]"))
	Eventually(t, 5*time.Second, "once corrected it is in force", func() bool { return ask(t, client, "GET", url).status == 200 })
	m.Write("who.yaml", policy("anybody"))
	m.Plane.Says(`the last good version stays in force`, 5*time.Second)
	if got := ask(t, client, "GET", url); got.status != 200 {
		t.Errorf("the last good policy does not hold: %d %s", got.status, got.body)
	}

	memory := filepath.Join(m.State, "config", "last-good")
	m.Plane.Kill()
	m.Revive()
	m.Plane.Says(`the last good version stays in force`, 5*time.Second)
	m.Plane.Says(`proxy .*payment-service.* connected`, 15*time.Second)
	for range 50 {
		if got := ask(t, client, "GET", url); got.status != 200 {
			t.Fatalf("the last good policy does not hold after a restart: %d %s", got.status, got.body)
		}
	}

	m.Plane.Kill()
	if err := os.Remove(memory); err != nil {
		t.Fatal(err)
	}
	m.Revive()
	Eventually(t, 15*time.Second, "a control plane that starts on it lets nobody in", func() bool { return refused(ask(t, client, "GET", url)) })
}

// A policy whose selector is mistyped, or that is cut off with the end of its file, keeps out whom it kept out; one that its
// author removes does not, and that is told.
func TestPolicyDoesNotFallAway(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Launch("payment-service", "v2", "a", nil)
	checkout := m.Launch("checkout", "v1", "a", nil)
	for _, w := range []*Workload{payment, checkout} {
		w.Ready(60 * time.Second)
	}
	client := checkout.Through(4)
	status := func() int {
		return ask(t, client, "GET", "http://payment-service.default.svc.cluster.local/pay").status
	}
	const limit = `apiVersion: bodyguard.dev/v1alpha1
kind: RateLimit
metadata: {name: plenty}
spec:
  targetRef: {kind: Service, name: payment-service}
  rules: [{requests: 1000000, per: second}]
`
	const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers}
spec:
  selector: {matchLabels: {app: payment-service}}
  action: DENY
  rules: [{}]
`
	stays := func() {
		t.Helper()
		for range 50 {
			if got := status(); got != 403 {
				t.Fatalf("the policy does not hold: %d", got)
			}
		}
	}
	m.Write("who.YAML", limit+"---\n"+policy)
	Eventually(t, 5*time.Second, "nobody is let in", func() bool { return status() == 403 })

	m.Write("who.YAML", limit+"---\n"+strings.Replace(policy, "app: payment-service", "app: payment-servce", 1))
	turned := `who\.YAML:12:27: AuthorizationPolicy default/callers: spec\.selector\.matchLabels: namespace default has no workload with the` +
		` labels app=payment-servce; did you mean app=payment-service\? `
	m.Plane.Says(turned+`This version waits until there is one; the last good version stays in force`, 5*time.Second)
	m.Write("peers.yaml", `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ledger}
spec: {selector: {matchLabels: {app: chekout}}, mtls: {mode: STRICT}}
`)
	stays()
	m.Plane.Says(`peers\.yaml:4:32: PeerAuthentication default/ledger: spec\.selector\.matchLabels: namespace default has no workload with the`+
		` labels app=chekout; this holds for nobody\. Did you mean app=checkout\?`, 45*time.Second)
	if lines := Compile(`app=payment-servce`).FindAllString(m.Plane.Output(), -1); len(lines) != 1 {
		t.Errorf("one mistake is told %d times", len(lines))
	}

	m.Write("who.YAML", limit+"---\n")
	m.Plane.Says(`who\.YAML:7:1: ends with ---, and AuthorizationPolicy default/callers is gone from it, as if it were cut off;`+
		` remove that line if that is meant; what was last read from here stays in force`, 5*time.Second)
	stays()

	m.Write("who.YAML", limit)
	m.Plane.Says(`who\.YAML:8:1: AuthorizationPolicy default/callers: is no longer there, and out of force from now on; put it back if that is not meant`, 5*time.Second)
	Eventually(t, 5*time.Second, "anybody is let in", func() bool { return status() == 200 })
}

// How often payment-service may be asked, by each caller for itself.
func TestRateLimitPerRouteAndIdentity(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Launch("payment-service", "v2", "a", nil)
	checkout := m.Launch("checkout", "v1", "a", nil)
	refunds := m.Launch("refunds", "v1", "a", nil)
	for _, w := range []*Workload{payment, checkout, refunds} {
		w.Ready(60 * time.Second)
	}
	byCheckout, byRefunds := checkout.Through(4), refunds.Through(4)
	const url = "http://payment-service/pay"
	limit := `
apiVersion: bodyguard.dev/v1alpha1
kind: RateLimit
metadata: {name: pay}
spec:
  targetRef: {kind: Service, name: payment-service}
  rules:
    - match: {methods: [GET], path: {prefix: /pay}}
      requests: %d
      per: minute
      by: [principal]
`
	m.Write("limit.yaml", fmt.Sprintf(limit, 3))
	var first reply
	Eventually(t, 5*time.Second, "the limit is in force", func() bool {
		first = ask(t, byCheckout, "GET", url)
		return first.header.Get("RateLimit-Limit") != ""
	})
	if first.status != 200 || first.header.Get("RateLimit-Limit") != "3" || first.header.Get("RateLimit-Remaining") != "2" ||
		first.header.Get("RateLimit-Policy") != `"RateLimit default/pay";q=3;w=60` {
		t.Errorf("the first answer: %d %v", first.status, first.header)
	}
	ask(t, byCheckout, "GET", url)
	ask(t, byCheckout, "GET", url)
	over := ask(t, byCheckout, "GET", url)
	if over.status != 429 || over.header.Get("Retry-After") == "" || over.header.Get("RateLimit-Remaining") != "0" ||
		over.header.Get("RateLimit-Reset") == "" || !strings.Contains(over.body, "RateLimit default/pay spec.rules[0]") {
		t.Errorf("the fourth answer: %d %v %s", over.status, over.header, over.body)
	}
	t.Log(over.body)
	if got := ask(t, byCheckout, "POST", url); got.status != 200 {
		t.Errorf("another method is not limited: %d", got.status)
	}
	if got := ask(t, byCheckout, "GET", "http://payment-service/other"); got.status != 200 {
		t.Errorf("another path is not limited: %d", got.status)
	}
	if got := ask(t, byRefunds, "GET", url); got.status != 200 || got.header.Get("RateLimit-Remaining") != "2" {
		t.Errorf("another caller has its own quota: %d %v", got.status, got.header)
	}
	Eventually(t, 5*time.Second, "the callee's log has the rule and its place", func() bool {
		for _, line := range payment.AccessLog() {
			if line["response_flags"] == "RL" && line["rule"] == "RateLimit default/pay spec.rules[0] (limit.yaml:8:7)" {
				return true
			}
		}
		return false
	})
	for _, line := range checkout.AccessLog() {
		if line["response_code"] == 429.0 && line["attempts"] != 1.0 {
			t.Errorf("a refusal was tried again: %v", line)
		}
	}

	m.Write("limit.yaml", fmt.Sprintf(limit, 0))
	m.Plane.Says(`limit\.yaml:9:17: RateLimit default/pay: spec\.rules\[0]\.requests: must be a whole number from 1`, 5*time.Second)
	m.Write("limit.yaml", "")
	Eventually(t, 5*time.Second, "without the limit everything passes", func() bool {
		return ask(t, byCheckout, "GET", url).status == 200
	})
}
