package mainjob

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A rule that leads to a subset which no DestinationRule defines is answered and logged with a flag, a sentence and its
// origin; an answer that an author wants is none of the mesh's refusals.
func TestUndefinedSubsetIsTold(t *testing.T) {
	m := NewMesh(t)
	m.Write("payments.yaml", `apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: payment-vs}
spec:
  hosts: [payment-service]
  http:
    - match: [{uri: {exact: /closed}}]
      directResponse: {status: 503, body: {string: closed today}}
    - route: [{destination: {host: payment-service, subset: v2}}]
`)
	m.Join("payment-service", "v2", "v2", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	ask := func(path string) (int, string) {
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
	logged := func(path string) (found map[string]any) {
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

	sentence := "no DestinationRule defines subset v2 of payment-service"
	status, body := ask("/open")
	if status != 503 || !strings.HasPrefix(body, sentence) || !strings.Contains(body, "rule: VirtualService default/payment-vs spec.http[1]") {
		t.Errorf("%d %q", status, body)
	}
	line := logged("/open")
	if line["response_flags"] != "NC" || !strings.HasPrefix(fmt.Sprint(line["sentence"]), sentence) ||
		!strings.HasPrefix(fmt.Sprint(line["rule"]), "VirtualService default/payment-vs spec.http[1] (payments.yaml:9:") {
		t.Errorf("logged as %v", line)
	}

	status, body = ask("/closed")
	if status != 503 || body != "closed today" {
		t.Errorf("%d %q", status, body)
	}
	if line = logged("/closed"); line["response_flags"] != "-" || line["sentence"] != nil {
		t.Errorf("logged as %v", line)
	}
}
