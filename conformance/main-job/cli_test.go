package mainjob

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// Status and check tell what is well and, with a reason, what is not.
func TestStatusAndCheck(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil)
	m.Join("checkout", "v1", "a", nil)

	var status struct {
		ControlPlane string
		Proxies      []struct {
			Name              string
			Connected, InSync bool
			Seconds           int64 `json:"certificateExpiresInSeconds"`
			Problems          []string
		}
	}
	Eventually(t, 10*time.Second, "both proxies are in sync", func() bool {
		output, err := m.Asked("status", "--json")
		if err != nil || json.Unmarshal([]byte(output), &status) != nil {
			t.Fatalf("status: %v\n%s", err, output)
		}
		return len(status.Proxies) == 2 && status.Proxies[0].InSync && status.Proxies[1].InSync
	})
	for _, proxy := range status.Proxies {
		if !proxy.Connected || proxy.Seconds < 3600 || len(proxy.Problems) > 0 {
			t.Errorf("want it to be well: %+v", proxy)
		}
	}
	if output, err := m.Asked("check"); err != nil {
		t.Errorf("check: %v\n%s", err, output)
	}

	_ = syscall.Kill(payment.State.Pid, syscall.SIGKILL)
	_ = syscall.Kill(payment.State.ChildPid, syscall.SIGTERM)
	m.Write("broken.yaml", "kind: [")
	m.Plane.Says(`broken\.yaml:1:`, 5*time.Second)
	output, err := m.Asked("check")
	if err == nil {
		t.Error("check ends with status 0 though a sidecar was killed and a file cannot be read")
	}
	for _, want := range []string{`FAIL  payment-service-a runs and is ready: .*pid \d+, does not run any more`, `FAIL  .*broken\.yaml:1:`} {
		if !regexp.MustCompile(want).MatchString(output) {
			t.Errorf("check does not say %q:\n%s", want, output)
		}
	}

	m.Plane.Kill()
	output, _ = m.Asked("check")
	if want := Compile(`(?m)^FAIL  what authors wrote is in force: nobody knows as long as no control plane answers$`); !want.MatchString(output) {
		t.Errorf("without a control plane check does not say %q:\n%s", want, output)
	}
}

// A certificate is due at two thirds of its life. One that is not renewed then is a warning of check, with the reason, though it
// still serves, an expired one an error; status has both among its problems. A renewal ends it.
func TestCheckWarnsOfCertificatesThatAreNotRenewed(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	// Due after 40 s, give or take a little.
	payment := m.Join("payment-service", "v2", "a", []string{"--ttl", "60s"})
	certified := `payment-service-a has a certificate that is renewed in time`
	finds := func(pattern string, patience time.Duration) (string, error) {
		t.Helper()
		var output string
		var err error
		line := regexp.MustCompile(`(?m)^` + pattern)
		Eventually(t, patience, "check says "+pattern, func() bool {
			output, err = m.Asked("check")
			return line.MatchString(output)
		})
		t.Log(line.FindString(output))
		return output, err
	}
	reason := `identity has given no new certificate for \d+ s \(since [-0-9T:]+Z\): .*; the old one `
	if output, err := finds(`ok    `+certified+`$`, time.Second); err != nil {
		t.Errorf("check: %v\n%s", err, output)
	}

	m.Plane.Kill()
	left := payment.Metric("cert_expiry_seconds")
	finds(`WARN  `+certified+`: `+reason+`is good until [-0-9T:]+Z; it is tried again until it succeeds: is the identity service up, .*$`, time.Duration(left)*time.Second)
	if said, row := m.Status(), Compile(`(?m)^sidecar +payment-service-a .* \d+s +.*the old one is good until .*$`); !row.MatchString(said) {
		t.Errorf("status has no row %s:\n%s", row, said)
	} else {
		t.Log(row.FindString(said))
	}

	if _, err := finds(`FAIL  `+certified+`: `+reason+`expired at [-0-9T:]+Z, so peers refuse it; .*$`, 30*time.Second); err == nil {
		t.Error("check ends with status 0 though a certificate has expired")
	}
	if said, row := m.Status(), Compile(`(?m)^sidecar +payment-service-a .* EXPIRED +.*the old one expired at .*$`); !row.MatchString(said) {
		t.Errorf("status has no row %s:\n%s", row, said)
	}

	m.Revive()
	Eventually(t, 30*time.Second, "check finds nothing wrong any more", func() bool {
		output, err := m.Asked("check")
		return err == nil && !strings.Contains(output, "WARN")
	})
}

// Explain tells what both sidecars would do with a request, each decision with the line of YAML behind it, and what it
// says is what then happens.
func TestExplain(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Launch("payment-service", "v2", "a", nil)
	checkout := m.Launch("checkout", "v1", "a", nil)
	payment.Ready(60 * time.Second)
	checkout.Ready(60 * time.Second)
	explain := func(more ...string) (string, error) {
		command := exec.Command(filepath.Join(Root, "bodyguard"), append([]string{"explain", "--from", "checkout"}, more...)...)
		command.Env = append(os.Environ(), "BODYGUARD_STATE="+m.State)
		output, err := command.CombinedOutput()
		return string(output), err
	}
	says := func(output string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !regexp.MustCompile(want).MatchString(output) {
				t.Errorf("explain does not say %q:\n%s", want, output)
			}
		}
	}

	// Nobody has asked for the host before.
	output, err := explain("--to", "http://payment-service/pay")
	if err != nil {
		t.Fatalf("explain: %v\n%s", err, output)
	}
	t.Log("\n" + output)
	says(output,
		`(?m)^  rule     VirtualService default/payment-vs spec\.http\[0] \(payments\.yaml:11:\d+\)$`,
		`(?m)^  retries  3 at most, on 5xx, .*; 2 s per try$`,
		`(?m)^  100 %    outbound\|80\|v2\|payment-service\.default\.svc\.cluster\.local$`,
		`payment-service-a v2 at `+regexp.QuoteMeta(payment.State.Inbound)+`, ready, mutual TLS with spiffe://cluster\.local/ns/default/sa/payment-service`,
		`(?m)^payment-service-a: lets it in$`,
		`(?m)^outcome: let through to payment-service-a$`)

	m.Write("who.yaml", `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin}
spec:
  action: DENY
  rules:
    - to: [{operation: {paths: ["/admin*"]}}]
---
apiVersion: bodyguard.dev/v1alpha1
kind: RateLimit
metadata: {name: pay}
spec:
  targetRef: {kind: Service, name: payment-service}
  rules:
    - match: {path: {prefix: /pay}}
      requests: 2
      per: minute
      by: [principal]
`)
	client := checkout.Through(1)
	Eventually(t, 5*time.Second, "the policies are in force", func() bool {
		return ask(t, client, "GET", "http://payment-service/admin").status == 403
	})
	denied, err := explain("--to", "http://payment-service/pay/../admin", "--method", "POST")
	if err != nil {
		t.Errorf("explain of what is refused: %v", err)
	}
	says(denied, `retries  3 at most, on connect-failure, refused-stream`,
		`(?m)^payment-service-a: refuses it$`,
		`403 RBAC: RBAC: spiffe://cluster\.local/ns/default/sa/checkout may not POST /admin: denied by`,
		`(?m)^  rule     AuthorizationPolicy default/no-admin spec\.rules\[0] \(who\.yaml:8:7\)$`,
		`(?m)^outcome: refused by payment-service-a$`)

	var told struct {
		Outcome string
		Callees []struct {
			Workload string
			Verdict  struct {
				Limits []struct {
					Rule      string
					Remaining int
				}
			}
		}
	}
	for _, left := range []int{2, 2, 1, 0} {
		if left < 2 {
			if got := ask(t, client, "GET", "http://payment-service/pay"); got.status != 200 {
				t.Fatalf("with %d left it is answered with %d", left+1, got.status)
			}
		}
		output, err := explain("--to", "http://payment-service/pay", "--json")
		if err != nil || json.Unmarshal([]byte(output), &told) != nil || len(told.Callees) != 1 || len(told.Callees[0].Verdict.Limits) != 1 {
			t.Fatalf("explain --json: %v\n%s", err, output)
		}
		limit := told.Callees[0].Verdict.Limits[0]
		if limit.Remaining != left || limit.Rule != "RateLimit default/pay spec.rules[0] (who.yaml:16:7)" {
			t.Errorf("want %d left: %+v", left, limit)
		}
	}
	if told.Outcome != "refused by payment-service-a" || ask(t, client, "GET", "http://payment-service/pay").status != 429 {
		t.Errorf("nothing is left, and explain says: %s", told.Outcome)
	}

	unknown, err := explain("--to", "http://nobody.example/")
	if err != nil {
		t.Errorf("explain of a host that is not of the mesh: %v", err)
	}
	says(unknown, `passes it on to nobody\.example:80.*the mesh does not know 80/nobody\.example`)
	if output, err := explain("--to", "https://payment-service/"); err == nil || !regexp.MustCompile("must be http://").MatchString(output) {
		t.Errorf("explain of https: %v\n%s", err, output)
	}
}
