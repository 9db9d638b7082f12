package faults

import (
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

const rate = 100

// Every test has a mesh of its own and waits most of its time, so several run side by side.

// mesh is a control plane, two replicas of payment-service v2 and a checkout that reaches them.
func mesh(t *testing.T) (m *Mesh, a, b, checkout *Workload) {
	t.Helper()
	m = NewMesh(t)
	a = m.Join("payment-service", "v2", "a", fixedPorts(t))
	b = m.Join("payment-service", "v2", "b", fixedPorts(t))
	checkout = m.Join("checkout", "v1", "a", fixedPorts(t))
	reachable(t, checkout)
	return m, a, b, checkout
}

// fixedPorts are what an operator gives a sidecar whose successor shall be found where it was.
func fixedPorts(t *testing.T) []string {
	return []string{"--inbound-port", fmt.Sprint(FreePort(t)), "--outbound-port", fmt.Sprint(FreePort(t))}
}

func reachable(t *testing.T, checkout *Workload) {
	t.Helper()
	Eventually(t, 30*time.Second, "checkout reaches payment-service", func() bool { return checkout.Paid() == nil })
}

func signal(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatalf("signal %v to %d: %v", signal, pid, err)
	}
}

// A process that stands still for 20 s costs what only it can do, with a reason; then all is as before.
func TestProcessStandsStill(t *testing.T) {
	t.Parallel()
	const still = 20 * time.Second
	m, a, b, checkout := mesh(t)

	t.Run("control plane", func(t *testing.T) {
		load := Under(t, rate, checkout.Paid)
		signal(t, m.Plane.Cmd.Process.Pid, syscall.SIGSTOP)
		time.Sleep(still)
		signal(t, m.Plane.Cmd.Process.Pid, syscall.SIGCONT)
		time.Sleep(2 * time.Second)
		load.Unharmed()
	})
	for _, victim := range []struct {
		name string
		pid  int
	}{{"app of one replica", a.State.ChildPid}, {"sidecar of one replica", a.State.Pid}} {
		t.Run(victim.name, func(t *testing.T) {
			load := Under(t, rate, checkout.Paid)
			signal(t, victim.pid, syscall.SIGSTOP)
			time.Sleep(still)
			signal(t, victim.pid, syscall.SIGCONT)
			time.Sleep(time.Second)
			load.Unharmed()
			explained := false
			for _, line := range checkout.AccessLog() {
				if n, ok := line["attempts"].(float64); ok && n > 1 {
					explained = true
				}
			}
			if !explained {
				t.Error("no line of checkout's access log tells of a second attempt")
			}
			before := a.Stats().Requests
			Eventually(t, 30*time.Second, "the replica gets requests again", func() bool {
				if err := checkout.Paid(); err != nil {
					t.Error(err)
				}
				return a.Stats().Requests > before
			})
		})
	}
	t.Run("the only sidecar of a caller", func(t *testing.T) {
		signal(t, checkout.State.Pid, syscall.SIGSTOP)
		time.Sleep(time.Second)
		err := checkout.Paid()
		if err == nil || !strings.Contains(err.Error(), "status 50") {
			t.Errorf("want checkout's own word that payment-service did not answer in time, got %v", err)
		}
		t.Log(err)
		time.Sleep(still - 6*time.Second)
		signal(t, checkout.State.Pid, syscall.SIGCONT)
		Eventually(t, 10*time.Second, "checkout is as before", func() bool { return checkout.Paid() == nil })
	})
	_ = b
}

// Whichever part of a replica is killed, the requests go to the other one.
func TestReplicaKilled(t *testing.T) {
	t.Parallel()
	for _, victim := range []struct {
		name string
		pids func(*Workload) []int
	}{
		{"app", func(w *Workload) []int { return []int{w.State.ChildPid} }},
		{"sidecar", func(w *Workload) []int { return []int{w.State.Pid} }},
		{"both", func(w *Workload) []int { return []int{w.State.Pid, w.State.ChildPid} }},
	} {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			_, a, b, checkout := mesh(t)
			load := Under(t, rate, checkout.Paid)
			time.Sleep(2 * time.Second)
			for _, pid := range victim.pids(a) {
				signal(t, pid, syscall.SIGKILL)
			}
			before := b.Stats().Requests
			time.Sleep(4 * time.Second)
			load.Unharmed()
			if after := b.Stats().Requests; after-before < 3*rate {
				t.Errorf("the other replica had %d requests in 4 s, want nearly all %d", after-before, 4*rate)
			}
			if victim.name == "sidecar" {
				// Nobody stops the app of a sidecar that was killed, unless the sidecar comes back.
				signal(t, a.State.ChildPid, syscall.SIGTERM)
			}
		})
	}
}

// The mesh goes on without its control plane, and follows the next one by itself.
func TestControlPlaneKilled(t *testing.T) {
	t.Parallel()
	m, _, _, checkout := mesh(t)
	m.Join("payment-service", "v1", "v1", nil)
	load := Under(t, rate, checkout.Paid)
	m.Plane.Kill()
	time.Sleep(30 * time.Second)
	m.Revive()
	m.Write("payments.yaml", m.Split(100, 0))
	begun := time.Now()
	Eventually(t, 15*time.Second, "an edit is in force again", func() bool {
		_, got, err := checkout.Buy(Outside, "GET")
		return err == nil && got.PaymentVersion == "v1"
	})
	t.Logf("the edit was in force %v after the control plane had said it was ready", time.Since(begun).Round(time.Millisecond))
	load.Unharmed()
	for _, left := range []float64{checkout.Metric("cert_expiry_seconds")} {
		if left <= 0 {
			t.Errorf("the certificate expires in %.0f s", left)
		}
	}
}

// A sidecar that starts while nobody tells it anything serves by what it remembers.
func TestSidecarRestartedDuringOutage(t *testing.T) {
	t.Parallel()
	m, a, b, checkout := mesh(t)
	time.Sleep(1500 * time.Millisecond) // what it learned last is written within a second
	m.Plane.Kill()
	for _, w := range []*Workload{checkout, a, b} {
		w.Stop(15 * time.Second)
		w.Again(m)
		w.Ready(30 * time.Second)
		w.Says(`serving by the plan remembered at`, time.Second)
	}
	load := Under(t, rate, checkout.Paid)
	time.Sleep(3 * time.Second)
	load.Unharmed()
	if shared := a.Metric("istio_requests_total", `connection_security_policy="mutual_tls"`); shared == 0 {
		t.Error("nothing reached replica a by mutual TLS")
	}

	m.Revive()
	m.Join("payment-service", "v1", "v1", nil)
	m.Write("payments.yaml", m.Split(100, 0))
	Eventually(t, 20*time.Second, "the restarted sidecars follow the control plane again", func() bool {
		_, got, err := checkout.Buy(Outside, "GET")
		return err == nil && got.PaymentVersion == "v1"
	})
}

// Who is denied while a sidecar is away is denied from the first moment that it is back.
func TestDenialWrittenWhileASidecarWasAway(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", fixedPorts(t))
	checkout := m.Join("checkout", "v1", "a", nil)
	reachable(t, checkout)
	client := checkout.Through(4)
	status := func() int {
		response, err := client.Get("http://payment-service/secret")
		if err != nil {
			return 0
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if got := status(); got != 200 {
		t.Fatalf("without a policy anybody may: %d", got)
	}
	time.Sleep(1500 * time.Millisecond) // what it learned is written within a second

	// Killed, so that discovery keeps its place for it and callers go on trying it.
	signal(t, payment.State.Pid, syscall.SIGKILL)
	m.Write("deny.yaml", `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-secrets}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/secret]}}]}]}
`)
	time.Sleep(time.Second) // in force at every sidecar that is there
	answers := map[int]int{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for answers[403] < 20 {
			answers[status()]++
		}
	}()
	payment.Again(m)
	payment.Says(`serving by the plan remembered at`, 10*time.Second)
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatal("nobody was denied within a minute")
	}
	if answers[200] > 0 {
		t.Errorf("%d requests passed: %v", answers[200], answers)
	}
}

// Every sidecar is replaced by another one, one after the other, and nobody notices.
func TestRollingReplacement(t *testing.T) {
	t.Parallel()
	m, a, b, checkout := mesh(t)
	var entry atomic.Pointer[Workload]
	entry.Store(checkout)
	load := Under(t, rate, func() error { return entry.Load().Paid() })
	time.Sleep(time.Second)
	for i, old := range []*Workload{a, b} {
		m.Join("payment-service", "v2", fmt.Sprintf("next-%d", i), nil)
		if !old.Stop(15 * time.Second) {
			t.Errorf("%s does not end", old.Name)
		}
	}
	next := m.Join("checkout", "v1", "next", nil)
	reachable(t, next)
	entry.Store(next)
	if !checkout.Stop(15 * time.Second) {
		t.Errorf("%s does not end", checkout.Name)
	}
	time.Sleep(time.Second)
	load.Unharmed()
}
