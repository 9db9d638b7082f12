package faults

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

const rate = 100

// Every test has a mesh of its own and waits most of its time, so several run side by side.

// How long payment-service takes for an answer, so that many requests are under way whenever something is broken.
const takes = 300 * time.Millisecond

// mesh is a control plane, two replicas of payment-service v2, which take their time, and a checkout that reaches them, with
// further options of their sidecars.
func mesh(t *testing.T, options ...string) (m *Mesh, a, b, checkout *Workload) {
	t.Helper()
	return meshBy(t, SampleYAML(t), options...)
}

// patient is the sample's rule with so long for an attempt that none ends because the machine has much else to do. Where each is
// made once, a failure is then what a process left behind.
func patient(t *testing.T) string {
	t.Helper()
	return strings.Replace(SampleYAML(t), "perTryTimeout: 2s", "perTryTimeout: 10s", 1)
}

func meshBy(t *testing.T, rule string, options ...string) (m *Mesh, a, b, checkout *Workload) {
	t.Helper()
	m = NewMesh(t)
	m.Write("payments.yaml", rule)
	a = m.Join("payment-service", "v2", "a", append(fixedPorts(t), options...), "--delay", takes.String())
	b = m.Join("payment-service", "v2", "b", append(fixedPorts(t), options...), "--delay", takes.String())
	checkout = m.Join("checkout", "v1", "a", append(fixedPorts(t), options...))
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
	m, a, _, checkout := mesh(t)

	t.Run("control plane", func(t *testing.T) {
		load := Under(t, rate, checkout.Paid)
		connected := strings.Count(checkout.Output(), "config: connected")
		stopped := time.Now()
		signal(t, m.Plane.Cmd.Process.Pid, syscall.SIGSTOP)
		t.Log(checkout.Says(`(?m)^.*WARNING config: .*; what was received stays in force.*$`, still-time.Second))
		t.Log(checkout.Says(`(?m)^.*WARNING discovery: .*; enrols again.*$`, still-time.Since(stopped)))
		time.Sleep(still - time.Since(stopped))
		if said := m.Status(); !strings.Contains(said, "control plane (pid "+strconv.Itoa(m.Plane.Cmd.Process.Pid)+") does not answer on") ||
			!strings.Contains(said, "no configuration stream of it; it serves by what it has") {
			t.Errorf("status names no reason:\n%s", said)
		}
		signal(t, m.Plane.Cmd.Process.Pid, syscall.SIGCONT)
		Eventually(t, 20*time.Second, "checkout follows config again", func() bool {
			return strings.Count(checkout.Output(), "config: connected") > connected
		})
		nothingIsWrong(t, m)
		load.Unharmed()
	})
	for _, victim := range []struct {
		name string
		pid  int
	}{{"app of one replica", a.State.ChildPid}, {"sidecar of one replica", a.State.Pid}} {
		t.Run(victim.name, func(t *testing.T) {
			load := Under(t, rate, checkout.Paid)
			lines := len(checkout.AccessLog())
			signal(t, victim.pid, syscall.SIGSTOP)
			stopped := time.Now()
			if victim.pid == a.State.Pid {
				standsStill(t, m, a)
			} else {
				isStopped(t, m, a)
			}
			time.Sleep(still - time.Since(stopped))
			if victim.pid != a.State.Pid {
				givenUp(t, a)
			}
			signal(t, victim.pid, syscall.SIGCONT)
			nothingIsWrong(t, m)
			load.Unharmed()
			explained := false
			for _, line := range checkout.AccessLog()[lines:] {
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
	t.Run("the only app of a service", func(t *testing.T) {
		signal(t, checkout.State.ChildPid, syscall.SIGSTOP)
		stopped := time.Now()
		caller := a.Through(8)
		caller.Timeout = time.Second
		load := Under(t, 4, func() error {
			response, err := caller.Get("http://checkout/pay")
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if response.StatusCode != 200 {
				return fmt.Errorf("status %d", response.StatusCode)
			}
			return nil
		})
		isStopped(t, m, checkout)
		time.Sleep(still - time.Since(stopped))
		givenUp(t, checkout)
		signal(t, checkout.State.ChildPid, syscall.SIGCONT)
		nothingIsWrong(t, m)
		checkout.Says(`INFO the app is not stopped any more, after \d+ ms`, 2*time.Second)
		checkout.Says(`INFO the app answers again, after \d+ ms`, time.Second)
		failed := load.Failed()
		Eventually(t, 10*time.Second, "checkout is as before", func() bool { return checkout.Paid() == nil })
		time.Sleep(time.Second)
		if more := load.Failed() - failed; more > 0 || failed < 30 {
			t.Errorf("%d requests failed while the app stood still, and %d once it answered again", failed, more)
		}
	})
	t.Run("the only sidecar of a caller", func(t *testing.T) {
		signal(t, checkout.State.Pid, syscall.SIGSTOP)
		stopped := time.Now()
		time.Sleep(time.Second)
		err := checkout.Paid()
		if err == nil || !strings.Contains(err.Error(), "status 50") {
			t.Errorf("want checkout's own word that payment-service did not answer in time, got %v", err)
		}
		t.Log(err)
		standsStill(t, m, checkout)
		time.Sleep(still - time.Since(stopped))
		signal(t, checkout.State.Pid, syscall.SIGCONT)
		Eventually(t, 10*time.Second, "checkout is as before", func() bool { return checkout.Paid() == nil })
		nothingIsWrong(t, m)
	})
}

// nothingIsWrong waits until status has found every one of the three proxies in order.
func nothingIsWrong(t *testing.T, m *Mesh) {
	t.Helper()
	Eventually(t, 30*time.Second, "status finds nothing wrong", func() bool {
		said := m.Status()
		return strings.Contains(said, "control plane: ready") && strings.Count(said, " none\n") == 3
	})
}

// isStopped waits until status says of a sidecar that its app is stopped, by whom and since when, and check fails by it; so
// does the sidecar itself, in its log.
func isStopped(t *testing.T, m *Mesh, w *Workload) {
	t.Helper()
	reason := fmt.Sprintf(`the app on %s accepts connections and answers nobody: it is stopped, pid %d \(.*\) by a signal, as SIGSTOP is; `+
		"`kill -CONT %[2]d` lets it go on", regexp.QuoteMeta(w.App), w.State.ChildPid) + `, for \d+ s \(since [-0-9T:]+Z\)`
	tellsOfItsApp(t, m, w, reason, 5*time.Second)
}

// tellsOfItsApp waits until a sidecar says what is wrong with its app, in its log and by status and check.
func tellsOfItsApp(t *testing.T, m *Mesh, w *Workload, reason string, patience time.Duration) {
	t.Helper()
	t.Log(w.Says(`(?m)^.*WARNING `+reason+`.*$`, patience))
	row := Compile(`(?m)^sidecar +` + w.Name + ` +yes +yes .*` + reason)
	if said := m.Status(); !row.MatchString(said) {
		t.Errorf("status has no row %s:\n%s", row, said)
	} else {
		t.Log(row.FindString(said))
	}
	if said, err := m.Asked("check"); err == nil || !Compile(`(?m)^FAIL  `+w.Name+` runs and is ready: `+reason).MatchString(said) {
		t.Errorf("check finds nothing wrong with %s: %v\n%s", w.Name, err, said)
	}
}

// givenUp asserts that a sidecar's access log tells of a request that was given up before its app had answered.
func givenUp(t *testing.T, w *Workload) {
	t.Helper()
	sentence := "the client gave up before " + w.App + " had begun to answer"
	if !slices.ContainsFunc(w.AccessLog(), func(line map[string]any) bool { return line["sentence"] == sentence }) {
		t.Errorf("no line of the access log of %s says that %s", w.Name, sentence)
	}
}

// An app that was stopped is told before anybody has lost a request by it: nobody need ask, and who waits need not give up.
func TestStoppedAppIsTold(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	reachable(t, checkout)

	signal(t, payment.State.ChildPid, syscall.SIGSTOP)
	isStopped(t, m, payment)
	answered := make(chan error)
	go func() {
		response, err := checkout.Through(1).Get("http://payment-service/pay")
		if err == nil {
			response.Body.Close()
			if response.StatusCode != 200 {
				err = fmt.Errorf("status %d", response.StatusCode)
			}
		}
		answered <- err
	}()
	time.Sleep(time.Second)
	signal(t, payment.State.ChildPid, syscall.SIGCONT)
	payment.Says(`INFO the app is not stopped any more, after \d+ ms`, 5*time.Second)
	if err := <-answered; err != nil {
		t.Errorf("who waited was not answered: %v", err)
	}
	if said := m.Status(); strings.Count(said, " none\n") != 2 {
		t.Errorf("status finds something wrong:\n%s", said)
	}
}

// An app that hangs, as one with a deadlock does, is told once callers have given up.
func TestHangingAppIsTold(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil, "--hang")
	checkout := m.Join("checkout", "v1", "a", nil)
	hurried := checkout.Through(8)
	hurried.Timeout = time.Second
	Under(t, 4, func() error {
		_, err := hurried.Get("http://payment-service/pay")
		return err
	})
	tellsOfItsApp(t, m, payment, `the app on `+regexp.QuoteMeta(payment.App)+
		` has answered none of the last \d+ requests, for \d+ s \(since [-0-9T:]+Z\)`, 15*time.Second)
	givenUp(t, payment)
}

// standsStill asserts that status says which sidecar does not answer, and that discovery's log says of which workload it has
// heard nothing for so long that nobody is led to it any more.
func standsStill(t *testing.T, m *Mesh, w *Workload) {
	t.Helper()
	before := len(m.Plane.Output())
	reason := fmt.Sprintf("its sidecar, pid %d, does not answer on %s", w.State.Pid, w.State.Admin)
	if said := m.Status(); !strings.Contains(said, reason) {
		t.Errorf("status does not say that %s:\n%s", reason, said)
	}
	line := Compile(`(?m)^.* WARN discovery: workload default/` + regexp.QuoteMeta(w.Name) + ` is out: nothing was heard from it for the length of its lease$`)
	Eventually(t, 15*time.Second, "discovery says "+line.String(), func() bool { return line.MatchString(m.Plane.Output()[before:]) })
	t.Log(line.FindString(m.Plane.Output()[before:]))
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
			busy := a.Stats().Active
			for _, pid := range victim.pids(a) {
				signal(t, pid, syscall.SIGKILL)
			}
			if busy < 5 {
				t.Errorf("the replica had only %d requests when it was killed", busy)
			}
			before, sent := b.Stats().Requests, load.Sent()
			time.Sleep(4 * time.Second)
			load.Unharmed()
			if more, all := b.Stats().Requests-before, load.Sent()-sent; all < rate || more < all*3/4 {
				t.Errorf("the other replica had %d requests of %d in 4 s, want nearly all", more, all)
			}
			if victim.name == "sidecar" {
				// Nobody stops the app of a sidecar that was killed, unless the sidecar comes back.
				signal(t, a.State.ChildPid, syscall.SIGTERM)
			}
		})
	}
}

// The mesh goes on without its control plane, and follows the next one by itself. All certificates are due for renewal
// while it is away: they serve on, also for new connections, and are renewed as soon as it is back.
func TestControlPlaneKilled(t *testing.T) {
	t.Parallel()
	const away = 30 * time.Second
	m, a, b, checkout := mesh(t, "--ttl", "2m")
	m.Join("payment-service", "v1", "v1", nil)
	sidecars := []*Workload{a, b, checkout}
	load := Under(t, rate, checkout.Paid)
	// Those of two minutes are due when 37 to 43 seconds of them are left.
	time.Sleep(time.Duration((a.Metric("cert_expiry_seconds") - 50) * float64(time.Second)))
	m.Plane.Kill()
	killed := time.Now()
	for _, w := range sidecars {
		t.Log(w.Name, w.Says(`identity: no new certificate: .* stays in use until .*`, away-time.Since(killed)))
	}
	// A new process shakes hands anew.
	if !b.Stop(15 * time.Second) {
		t.Errorf("%s does not end", b.Name)
	}
	b.Again(m)
	b.Ready(20 * time.Second)
	Eventually(t, 10*time.Second, "b is called on new connections", func() bool { return b.Stats().Requests > 0 })
	time.Sleep(away - time.Since(killed))
	m.Revive()
	m.Write("payments.yaml", m.Split(100, 0))
	begun := time.Now()
	Eventually(t, 15*time.Second, "an edit is in force again", func() bool {
		_, got, err := checkout.Buy(Outside, "GET")
		return err == nil && got.PaymentVersion == "v1"
	})
	t.Logf("the edit was in force %v after the control plane had said it was ready", time.Since(begun).Round(time.Millisecond))
	for _, w := range sidecars {
		Eventually(t, 15*time.Second, w.Name+" has a new certificate", func() bool { return w.Metric("cert_expiry_seconds") > 60 })
		if strings.Contains(w.Output(), "expired at") {
			t.Errorf("the certificate of %s did not outlive the outage", w.Name)
		}
	}
	load.Unharmed()
}

// A sidecar that starts while nobody tells it anything serves by what it remembers.
func TestSidecarRestartedDuringOutage(t *testing.T) {
	t.Parallel()
	m, a, b, checkout := mesh(t)
	m.Plane.Kill()
	// Who is killed writes nothing any more, but everybody does when the control plane is lost.
	for _, w := range []*Workload{checkout, a, b} {
		w.Says(`config: .*; what was received stays in force`, 10*time.Second)
	}
	Eventually(t, 10*time.Second, "checkout has written how to reach payment-service", func() bool {
		plan, err := os.ReadFile(filepath.Join(m.State, "sidecars", checkout.Name, "plan"))
		return err == nil && bytes.Contains(plan, []byte("payment-service"))
	})
	time.Sleep(time.Second)
	kill := func(w *Workload) { signal(t, w.State.Pid, syscall.SIGKILL) } // whose app its next life ends
	stop := func(w *Workload) { w.Stop(15 * time.Second) }
	for _, one := range []struct {
		*Workload
		end func(*Workload)
	}{{checkout, kill}, {a, kill}, {b, stop}} {
		w := one.Workload
		one.end(w)
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

// A sidecar that ends answers what it was asked, and says to each caller that nothing more will be answered here:
// `Connection: close` in HTTP/1, GOAWAY in HTTP/2.
func TestDrainSaysGoodbye(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil, "--delay", "1500ms")
	checkout := m.Join("checkout", "v1", "a", nil)
	reachable(t, checkout)
	received := payment.Stats().Requests

	dial := func(say string) net.Conn {
		connection, err := net.Dial("tcp", checkout.State.Outbound)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { connection.Close() })
		_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(connection, say); err != nil {
			t.Fatal(err)
		}
		return connection
	}
	one := dial("GET /pay HTTP/1.1\r\nHost: payment-service\r\n\r\n")
	// The preface, no settings, and `GET /` of payment-service, from HPACK's static table but for the authority.
	two := dial("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" +
		"\x00\x00\x14\x01\x05\x00\x00\x00\x01" + "\x82\x86\x84\x01\x0fpayment-service")
	Eventually(t, 10*time.Second, "both requests are with the app", func() bool { return payment.Stats().Requests >= received+2 })
	signal(t, checkout.State.Pid, syscall.SIGTERM)

	answer, err := io.ReadAll(one)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.Contains(strings.ToLower(string(answer)), "\r\nconnection: close\r\n") {
		t.Errorf("HTTP/1 was told %v %q", err, answer)
	}
	frames := []byte{}
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(two, head); err != nil {
			break
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(two, payload); err != nil {
			t.Fatal(err)
		}
		if head[3] == 6 && head[4]&1 == 0 { // a ping, which wants its answer
			_, _ = two.Write(append([]byte{0, 0, 8, 6, 1, 0, 0, 0, 0}, payload...))
		}
		frames = append(frames, head[3])
	}
	const headers, goaway = 1, 7
	if bye, answered := bytes.IndexByte(frames, goaway), bytes.IndexByte(frames, headers); bye < 0 || answered < bye {
		t.Errorf("HTTP/2 got frames of types %v, want GOAWAY before the answer", frames)
	}
	Eventually(t, 15*time.Second, "the sidecar ends", func() bool { return !checkout.Alive() })
}

// Every sidecar is replaced by another one, one after the other, and nobody notices.
func TestRollingReplacement(t *testing.T) {
	t.Parallel()
	m, a, b, checkout := meshBy(t, patient(t))
	var entry atomic.Pointer[Workload]
	entry.Store(checkout)
	load := Under(t, rate, func() error { return entry.Load().Paid() })
	// What nobody may send twice, so that no retry hides what a drain loses.
	once := Under(t, rate/2, func() error {
		status, got, err := entry.Load().Buy(Outside, "POST")
		if err == nil && status != 200 {
			err = fmt.Errorf("POST: status %d: %s", status, got.Error)
		}
		return err
	})
	time.Sleep(time.Second)
	for i, old := range []*Workload{a, b} {
		m.Join("payment-service", "v2", fmt.Sprintf("next-%d", i), nil, "--delay", takes.String())
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
	once.Unharmed()
}
