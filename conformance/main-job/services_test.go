package mainjob

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// The control plane as four processes serves sidecars as one process does, and each ends by itself.
func TestServicesApart(t *testing.T) {
	t.Parallel()
	m := NewMeshApart(t)
	payment := m.Launch("payment-service", "v2", "a", nil)
	checkout := m.Launch("checkout", "v1", "a", nil)
	payment.Ready(30 * time.Second)
	checkout.Ready(30 * time.Second)
	Eventually(t, 10*time.Second, "payment-service v2 answers through both sidecars", func() bool {
		status, got, err := checkout.Buy(Outside, "GET")
		return err == nil && status == 200 && got.PaymentVersion == "v2"
	})
	if n := payment.Metric("istio_requests_total", `connection_security_policy="mutual_tls"`); n < 1 {
		t.Errorf("payment-service saw %v requests over mutual TLS, want 1 or more", n)
	}

	Eventually(t, 10*time.Second, "telemetry was told of the request", func() bool {
		response, err := Outside.Get("http://" + m.At("telemetry", "telemetry") + "/api/summary")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		summary, err := io.ReadAll(response.Body)
		return err == nil && bytes.Contains(summary, []byte("payment-service"))
	})

	for _, service := range []string{"config", "discovery", "identity", "telemetry"} {
		p := m.Services[service]
		if !p.Stop(10 * time.Second) {
			t.Errorf("%s does not end", service)
		} else if status := p.Cmd.ProcessState.ExitCode(); status != 0 {
			t.Errorf("%s ends with %d, want 0", service, status)
		}
		if !strings.Contains(p.Output(), "bodyguard service "+service+": ended") {
			t.Errorf("%s does not say that it ended: %s", service, Tail(p.Output(), 5))
		}
	}
	// What is in force stays in force without any of them.
	if status, got, err := checkout.Buy(Outside, "GET"); err != nil || status != 200 {
		t.Errorf("without a control plane checkout answers %d %v %v, want 200", status, got, err)
	}
}
