package mainjob

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A rule that leads to a subset which no DestinationRule defines is answered and logged with a flag, a sentence and its
// origin; an answer that an author wants is none of the mesh's refusals, and told as his.
func TestUndefinedSubsetIsTold(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	// A file that goes as a whole is its author's wish; in one that stays, the rule would stay in force.
	if err := os.Remove(filepath.Join(m.YAML, "payments.yaml")); err != nil {
		t.Fatal(err)
	}
	m.Write("closed.yaml", `apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: payment-vs}
spec:
  hosts: [payment-service]
  http:
    - match: [{uri: {exact: /closed}}]
      directResponse: {status: 503, body: {string: closed today}}
    - route: [{destination: {host: payment-service, subset: v2}}]
`)
	m.Plane.Says(`closed\.yaml:9:\d+: .* no DestinationRule defines subset v2 of payment-service`, 10*time.Second)
	m.Join("payment-service", "v2", "v2", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	sentence := "no DestinationRule defines subset v2 of payment-service"
	status, body := asked(t, checkout, "/open")
	if status != 503 || !strings.HasPrefix(body, sentence) || !strings.Contains(body, "rule: VirtualService default/payment-vs spec.http[1]") {
		t.Errorf("%d %q", status, body)
	}
	line := logged(t, checkout, "/open")
	if line["response_flags"] != "NC" || !strings.HasPrefix(fmt.Sprint(line["sentence"]), sentence) ||
		!strings.HasPrefix(fmt.Sprint(line["rule"]), "VirtualService default/payment-vs spec.http[1] (closed.yaml:9:") {
		t.Errorf("logged as %v", line)
	}

	status, body = asked(t, checkout, "/closed")
	if status != 503 || body != "closed today" {
		t.Errorf("%d %q", status, body)
	}
	if line = logged(t, checkout, "/closed"); line["response_flags"] != "-" ||
		!Compile(`^VirtualService default/payment-vs spec\.http\[0\] \(closed\.yaml:\d+:\d+\) answers by itself, with 503; no service is asked$`).MatchString(fmt.Sprint(line["sentence"])) {
		t.Errorf("logged as %v", line)
	}
}

// A service whose last workload is gone is still defined: it has no endpoint, which is told with how many others there
// are. A name of which no document speaks is not defined.
func TestServiceWithoutWorkloadsIsTold(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	m.Write("payments.yaml", SampleYAML(t)+`---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: typo}
spec:
  hosts: [typo]
  http: [{route: [{destination: {host: paymnet-service}}]}]
`)
	v1 := m.Join("payment-service", "v1", "v1", nil)
	v2 := m.Join("payment-service", "v2", "v2", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	if status, body := asked(t, checkout, "/"); status != 200 {
		t.Fatalf("%d %q", status, body)
	}
	told := func(flag, sentence string) {
		t.Helper()
		var body string
		Eventually(t, 10*time.Second, sentence, func() bool {
			var status int
			status, body = asked(t, checkout, "/"+flag)
			return status == 503 && strings.HasPrefix(body, sentence)
		})
		t.Log(body)
		if !strings.Contains(body, "\nrule: VirtualService default/payment-vs spec.http[0]") {
			t.Errorf("it names another rule: %s", body)
		}
		// Those before may have found the workload on its way out.
		lines := checkout.AccessLog()
		Eventually(t, 5*time.Second, "it is in the access log", func() bool {
			lines = checkout.AccessLog()
			return strings.HasPrefix(fmt.Sprint(lines[len(lines)-1]["sentence"]), sentence)
		})
		if last := lines[len(lines)-1]; last["response_flags"] != flag {
			t.Errorf("logged as %v", last)
		}
	}

	v2.Stop(10 * time.Second)
	told("UH", "outbound|80|v2|payment-service.default.svc.cluster.local has no endpoint now: of the 1 that its service has none is of this subset")
	v1.Stop(10 * time.Second)
	told("UH", "outbound|80|v2|payment-service.default.svc.cluster.local has no endpoint now; is a workload of it running and registered?")

	response, err := checkout.Through(1).Get("http://typo/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != 503 || response.Header.Get("x-bodyguard-flag") != "NC" || !strings.HasPrefix(string(body), "the rule's destination outbound|80||paymnet-service") {
		t.Errorf("%s %q", response.Status, body)
	}
}

// What is due to a registration alone names no document.
func TestRegisteredNameIsItsOwnOrigin(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	m.Write("payments.yaml", "")
	m.Join("payment-service", "v2", "v2", nil)
	checkout := m.Join("checkout", "v1", "a", nil)

	if status, body := asked(t, checkout, "/undocumented"); status != 200 {
		t.Fatalf("%d %q", status, body)
	}
	if line := logged(t, checkout, "/undocumented"); line["rule"] != "Registration default/payment-service" {
		t.Errorf("logged as %v", line)
	}
}

func asked(t *testing.T, checkout *Workload, path string) (int, string) {
	t.Helper()
	response, err := checkout.Through(1).Get("http://payment-service" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func logged(t *testing.T, checkout *Workload, path string) (found map[string]any) {
	t.Helper()
	Eventually(t, 5*time.Second, path+" is in the access log", func() bool {
		for _, line := range checkout.AccessLog() {
			if line["path"] == path {
				found = line
			}
		}
		return found != nil
	})
	return found
}
