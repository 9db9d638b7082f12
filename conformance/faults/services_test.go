package faults

import (
	"strings"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// Each service of the control plane, in a process of its own, stands still for 20 s: no request notices, whoever needs it
// says so and why, and afterwards nothing is stuck. Two at a time, of which neither is the other's witness.
func TestServiceStandsStill(t *testing.T) {
	t.Parallel()
	const still = 20 * time.Second
	m := NewMeshApart(t, "BODYGUARD_TTL=PT80S")
	options := []string{"--ttl", "80s", "--trace-sampling", "100"}
	m.Join("payment-service", "v2", "a", options)
	m.Join("payment-service", "v1", "v1", options)
	checkout := m.Join("checkout", "v1", "a", options)
	reachable(t, checkout)
	load := Under(t, 30, checkout.Paid)
	var begun time.Time
	stop := func(services ...string) {
		begun = time.Now()
		for _, service := range services {
			signal(t, m.Services[service].Cmd.Process.Pid, syscall.SIGSTOP)
		}
	}
	goOn := func(services ...string) {
		time.Sleep(still - time.Since(begun))
		for _, service := range services {
			signal(t, m.Services[service].Cmd.Process.Pid, syscall.SIGCONT)
		}
	}
	says := func(p *Process, line string) {
		t.Helper()
		t.Log(p.Name, p.Says(`(?m)^.*`+line+`.*$`, still-time.Second-time.Since(begun)))
	}
	told := func(command string, lines ...string) {
		t.Helper()
		said, _ := m.Asked(command)
		for _, line := range lines {
			if found := Compile(`(?m)^.*` + line + `.*$`).FindString(said); found == "" {
				t.Errorf("%s has no line %s:\n%s", command, line, said)
			} else {
				t.Log(found)
			}
		}
	}
	inForce := func(version string) {
		t.Helper()
		from := time.Now()
		Eventually(t, 15*time.Second, "the edit is in force", func() bool {
			_, got, err := checkout.Buy(Outside, "GET")
			return err == nil && got.PaymentVersion == version
		})
		t.Logf("an edit was in force %v after the services went on", time.Since(from).Round(time.Millisecond))
	}
	since := ` \d+ s \(since [-0-9T:]+Z\): `

	stop("discovery", "telemetry")
	says(checkout.Process, `WARNING telemetry: .*; counters go on here and are told later`)
	says(checkout.Process, `WARNING discovery: .*; enrols again`)
	says(m.Services["config"], `WARN config: discovery is lost, everything stays as it is`)
	told("status",
		`telemetry has not answered for`+since, `discovery has not answered for`+since,
		`^ERROR discovery has not answered config for`+since+`.*; everything stays as it is, and edits wait`)
	told("check",
		`^FAIL  checkout-a runs and is ready: .*discovery has not answered for`,
		`^FAIL  what authors wrote is in force: discovery has not answered config for`)
	enrolled := strings.Count(checkout.Output(), "discovery: enrolled")
	m.Write("payments.yaml", m.Split(100, 0))
	goOn("discovery", "telemetry")
	inForce("v1")
	checkout.Says(`INFO telemetry: told again`, 20*time.Second)
	spans := checkout.Metric("bodyguard_telemetry_spans_sent_total")
	Eventually(t, 15*time.Second, "checkout is enrolled again, and its spans arrive", func() bool {
		return strings.Count(checkout.Output(), "discovery: enrolled") > enrolled &&
			checkout.Metric("bodyguard_telemetry_spans_sent_total") > spans
	})
	nothingIsWrong(t, m.Mesh)

	// Certificates of 80 s are due when 25 to 29 seconds of them are left.
	Eventually(t, 90*time.Second, "checkout's certificate is about to be due", func() bool {
		left := checkout.Metric("cert_expiry_seconds")
		return left > 25 && left < 30
	})
	stop("config", "identity")
	says(checkout.Process, `WARNING config: .*; what was received stays in force`)
	says(checkout.Process, `WARNING identity: no new certificate: the identity service (has not answered within 10 s|answers UNAVAILABLE: .*handshake timed out.*); serial \w+ stays in use until`)
	told("status", `config has not answered for`+since, `identity has given no new certificate for`+since)
	connected := strings.Count(checkout.Output(), "config: connected")
	goOn("config", "identity")
	m.Write("payments.yaml", m.Split(0, 100))
	inForce("v2")
	Eventually(t, 15*time.Second, "checkout has a new certificate and follows config again", func() bool {
		return checkout.Metric("cert_expiry_seconds") > 40 &&
			strings.Count(checkout.Output(), "config: connected") > connected
	})
	nothingIsWrong(t, m.Mesh)
	if said, err := m.Asked("check"); err != nil {
		t.Errorf("check: %v\n%s", err, said)
	}
	if strings.Contains(checkout.Output(), "expired at") {
		t.Error("a certificate did not outlive the outage")
	}
	for _, p := range m.Services {
		if trace := Compile(`(?m)^.*\n(\tat .*\n)+`).FindString(p.Output()); trace != "" {
			t.Errorf("%s takes what happened for a defect of its own:\n%s", p.Name, trace)
		}
	}
	load.Unharmed()
}
