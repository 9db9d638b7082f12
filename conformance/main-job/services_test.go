package mainjob

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// The control plane as four processes serves sidecars as one process does, and each ends by itself.
func TestServicesApart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	m := &Mesh{T: t, State: filepath.Join(folder, "identity"), YAML: filepath.Join(folder, "mesh")}
	if err := os.Mkdir(m.YAML, 0o755); err != nil {
		t.Fatal(err)
	}
	m.Write("payments.yaml", SampleYAML(t))

	started := map[string]*Process{}
	start := func(service string, environment ...string) {
		for _, port := range []string{"IDENTITY", "DISCOVERY", "XDS", "TELEMETRY", "OTLP", "ADMIN"} {
			environment = append(environment, "BODYGUARD_"+port+"_PORT=0")
		}
		started[service] = StartWith(t, service, environment, filepath.Join(Root, "bodyguard"), "service", service)
	}
	at := func(service, what string) string {
		ready := started[service].Says(`bodyguard service `+service+`: ready: .*`, 30*time.Second)
		found := regexp.MustCompile(`\b` + what + ` (127\.0\.0\.1:\d+)`).FindStringSubmatch(ready)
		if found == nil {
			t.Fatalf("%s does not say where its %s is: %s", service, what, ready)
		}
		return found[1]
	}
	// What an operator carries from identity's folder to another machine's.
	stateOf := func(service string) string {
		state := filepath.Join(folder, service)
		for _, file := range []string{"root.pem", "join/" + service + ".bodyguard-system.token"} {
			content, err := os.ReadFile(filepath.Join(m.State, file))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(state, file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(state, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return state
	}

	start("identity", "BODYGUARD_STATE="+m.State)
	identity := "BODYGUARD_IDENTITY=" + at("identity", "identity")
	start("discovery", identity, "BODYGUARD_FILES="+m.YAML, "BODYGUARD_STATE="+stateOf("discovery"))
	start("config", identity, "BODYGUARD_DISCOVERY="+at("discovery", "discovery"), "BODYGUARD_STATE="+stateOf("config"))
	start("telemetry", identity, "BODYGUARD_STATE="+stateOf("telemetry"))
	addresses, err := json.Marshal(map[string]any{
		"pid":       started["identity"].Cmd.Process.Pid,
		"identity":  at("identity", "identity"),
		"discovery": at("discovery", "discovery"),
		"xds":       at("config", "xds"),
		"telemetry": at("telemetry", "telemetry"),
		"otlp":      at("telemetry", "otlp"),
		"admin":     at("config", "admin"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.State, "control-plane.json"), addresses, 0o600); err != nil {
		t.Fatal(err)
	}

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
		response, err := Outside.Get("http://" + at("telemetry", "telemetry") + "/api/summary")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		summary, err := io.ReadAll(response.Body)
		return err == nil && bytes.Contains(summary, []byte("payment-service"))
	})

	for _, service := range []string{"config", "discovery", "identity", "telemetry"} {
		p := started[service]
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
