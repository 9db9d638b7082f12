// Package mainjob shows the mesh's main job on real processes: each test is a promise of the README.
package mainjob

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// Weights edited under load move the split within a second; nothing restarts and no request fails.
func TestCanaryByEdit(t *testing.T) {
	m := NewMesh(t)
	v1 := m.Join("payment-service", "v1", "v1", nil)
	v2 := m.Join("payment-service", "v2", "v2", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	Eventually(t, 30*time.Second, "payment-service v2 answers", func() bool {
		status, got, err := checkout.Buy(Outside, "GET")
		return err == nil && status == 200 && got.PaymentVersion == "v2"
	})

	type answer struct {
		at      time.Time
		version string
	}
	var mu sync.Mutex
	var answers []answer
	var failed atomic.Int64
	const rate, seconds = 600, 12
	begun := time.Now()
	var load sync.WaitGroup
	for worker := range 12 {
		load.Add(1)
		go func() {
			defer load.Done()
			for i := worker; i < rate*seconds; i += 12 {
				time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / rate)))
				status, got, err := checkout.Buy(Outside, "GET")
				if err != nil || status != 200 {
					failed.Add(1)
					t.Logf("request %d: %d %v %v", i, status, got, err)
					continue
				}
				mu.Lock()
				answers = append(answers, answer{time.Now(), got.PaymentVersion})
				mu.Unlock()
			}
		}()
	}

	time.Sleep(time.Until(begun.Add(3 * time.Second)))
	m.Write("payments.yaml", m.Split(50, 50))
	halved := time.Now()
	time.Sleep(time.Until(begun.Add(8 * time.Second)))
	m.Write("payments.yaml", m.Split(100, 0))
	moved := time.Now()
	load.Wait()
	took := time.Since(begun)

	share := func(from, to time.Time) (float64, int) {
		n, ofV1 := 0, 0
		for _, a := range answers {
			if a.at.After(from) && a.at.Before(to) {
				n++
				if a.version == "v1" {
					ofV1++
				}
			}
		}
		return float64(ofV1) / float64(max(n, 1)), n
	}
	// A request that was answered a second after the edit may have begun before it, by its latency.
	second := time.Second + 100*time.Millisecond
	before, _ := share(begun, halved)
	between, n := share(halved.Add(second), moved)
	after, _ := share(moved.Add(second), begun.Add(time.Hour))
	achieved := float64(len(answers)) / took.Seconds()
	t.Logf("%d answers in %v (%.0f/s); share of v1: %.3f before, %.3f of %d at 50/50, %.3f at 100/0",
		len(answers), took.Round(time.Millisecond), achieved, before, between, n, after)
	if failed.Load() > 0 {
		t.Errorf("%d requests failed", failed.Load())
	}
	if achieved < 500 {
		t.Errorf("the load was %.0f requests/s, want at least 500", achieved)
	}
	if before != 0 || between < 0.45 || between > 0.55 || after != 1 {
		t.Errorf("the split did not follow the weights within a second")
	}
	for _, p := range []*Process{m.Plane, v1.Process, v2.Process, checkout.Process} {
		if !p.Alive() {
			t.Errorf("%s did not live through it", p.Name)
		}
	}
}

// Every third attempt fails, and no caller on one connection notices.
func TestRetriesHideFailures(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	a := m.Join("payment-service", "v2", "a", nil, "--fail-every", "3")
	b := m.Join("payment-service", "v2", "b", nil, "--fail-every", "3")
	checkout := m.Join("checkout", "v1", "a", nil)
	client := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 1}}

	const requests = 10_000
	for i := range requests {
		status, got, err := checkout.Buy(client, "GET")
		if err != nil || status != 200 {
			t.Fatalf("request %d: %d %+v %v", i, status, got, err)
		}
	}

	received := a.Stats().Requests + b.Stats().Requests
	retries := checkout.Metric("bodyguard_upstream_retries_total")
	t.Logf("%d requests, %d attempts (amplification %.2f), %.0f retries counted",
		requests, received, float64(received)/requests, retries)
	if int64(retries) != received-requests {
		t.Errorf("%.0f retries counted, want %d", retries, received-requests)
	}
	if amplification := float64(received) / requests; amplification > 1.6 {
		t.Errorf("amplification %.2f, want at most 1.6", amplification)
	}
}

// At 64 connections retries still have room: who fails in the end has used all four attempts, and each is counted. One
// replica answers nothing but 503 and the other every second time, so that many fail and many do not.
func TestFailuresUsedAllAttempts(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	a := m.Join("payment-service", "v2", "a", nil, "--fail-every", "1")
	b := m.Join("payment-service", "v2", "b", nil, "--fail-every", "2")
	checkout := m.Join("checkout", "v1", "a", nil)

	const requests = 10_000
	var next, refused atomic.Int64
	var load sync.WaitGroup
	for range 64 {
		load.Add(1)
		go func() {
			defer load.Done()
			for next.Add(1) <= requests {
				status, _, err := checkout.Buy(Outside, "GET")
				if err != nil {
					t.Error(err)
				} else if status != 200 {
					refused.Add(1)
				}
			}
		}()
	}
	load.Wait()

	var outbound, failed, attempts int
	Eventually(t, 10*time.Second, "every request has its line in the access log", func() bool {
		outbound, failed, attempts = 0, 0, 0
		for _, line := range checkout.AccessLog() {
			if line["reporter"] != "source" {
				continue
			}
			outbound++
			made, _ := line["attempts"].(float64)
			attempts += int(made)
			if line["response_code"] != float64(200) {
				failed++
				if made != 4 {
					t.Fatalf("a failure after %v attempts: %v", line["attempts"], line)
				}
			}
		}
		return outbound == requests
	})
	received := a.Stats().Requests + b.Stats().Requests
	retries := checkout.Metric("bodyguard_upstream_retries_total")
	t.Logf("%d requests on 64 connections, %d failed after four attempts, %d attempts, %.0f retries counted",
		requests, failed, attempts, retries)
	if failed < requests/100 || failed > requests*99/100 {
		t.Errorf("%d of %d requests failed: too few of a kind to show anything", failed, requests)
	}
	if int64(failed) != refused.Load() {
		t.Errorf("%d failures logged, callers saw %d", failed, refused.Load())
	}
	if int64(attempts) != received {
		t.Errorf("%d attempts logged, payment-service received %d", attempts, received)
	}
	if int(retries) != attempts-requests {
		t.Errorf("%.0f retries counted, want %d", retries, attempts-requests)
	}
}

// A payment is never made twice: POST goes out once, with an Idempotency-Key it may be repeated.
func TestPostIsNotRepeated(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil, "--fail-every", "3")
	checkout := m.Join("checkout", "v1", "a", nil)

	statuses := map[int]int{}
	for range 300 {
		status, _, err := checkout.Buy(Outside, "POST")
		if err != nil {
			t.Fatal(err)
		}
		statuses[status]++
	}

	if received := payment.Stats().ByMethod["POST"]; received != 300 {
		t.Errorf("payment-service received %d POSTs, want 300", received)
	}
	if statuses[200] != 200 || statuses[503] != 100 {
		t.Errorf("callers saw %v, want 200 times 200 and 100 times 503", statuses)
	}

	// An empty key is none.
	before := payment.Stats().ByMethod["POST"]
	for range 30 {
		request, _ := http.NewRequest("POST", "http://"+checkout.App+"/pay", strings.NewReader("10 EUR"))
		request.Header.Set("Idempotency-Key", "")
		response, err := Outside.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	if received := payment.Stats().ByMethod["POST"] - before; received != 30 {
		t.Errorf("payment-service received %d POSTs for 30 with an empty key", received)
	}

	for i := range 30 {
		request, _ := http.NewRequest("POST", "http://"+checkout.App+"/pay", strings.NewReader("10 EUR"))
		request.Header.Set("Idempotency-Key", strconv.Itoa(i))
		response, err := Outside.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Fatalf("POST %d with an Idempotency-Key: %d", i, response.StatusCode)
		}
	}
}

// A hanging first pick costs perTryTimeout, and work upstream ends with the caller's deadline.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	t.Run("perTryTimeout moves on", func(t *testing.T) {
		m := NewMesh(t)
		payment := m.Join("payment-service", "v2", "a", nil, "--hang-first", "1")
		other := m.Join("payment-service", "v2", "b", nil, "--hang-first", "1")
		checkout := m.Join("checkout", "v1", "a", nil)

		begun := time.Now()
		status, _, err := checkout.Buy(Outside, "GET")
		took := time.Since(begun)

		t.Logf("%d in %v", status, took.Round(time.Millisecond))
		if err != nil || status != 200 {
			t.Errorf("got %d %v, want 200", status, err)
		}
		// Both replicas hang on their first request: two tries time out, the third is answered.
		if took < 4*time.Second || took > 4900*time.Millisecond {
			t.Errorf("took %v, want twice perTryTimeout and a little", took)
		}
		Eventually(t, 2*time.Second, "the abandoned tries ended", func() bool {
			return payment.Stats().Active+other.Stats().Active == 0
		})
		if longest := max(payment.Stats().LongestMillis, other.Stats().LongestMillis); longest > 2500 {
			t.Errorf("an abandoned try went on for %d ms", longest)
		}
	})
	t.Run("work ends with the caller's deadline", func(t *testing.T) {
		m := NewMesh(t)
		m.Write("payments.yaml", strings.Replace(SampleYAML(t), "perTryTimeout: 2s", "perTryTimeout: 60s", 1))
		payment := m.Join("payment-service", "v2", "a", nil, "--hang")
		checkout := m.Join("checkout", "v1", "a", nil)

		begun := time.Now()
		arrived := make(chan time.Duration, 1)
		go func() {
			for payment.Stats().Active == 0 && time.Since(begun) < 10*time.Second {
				time.Sleep(10 * time.Millisecond)
			}
			arrived <- time.Since(begun)
		}()
		status, got, err := checkout.Buy(Outside, "GET")

		way := <-arrived
		t.Logf("%d %+v in %v, of which %v on the way there", status, got, time.Since(begun).Round(time.Millisecond), way.Round(time.Millisecond))
		if err != nil || status != http.StatusGatewayTimeout {
			t.Errorf("got %d %v, want 504", status, err)
		}
		Eventually(t, time.Second, "payment-service's work was cancelled", func() bool {
			s := payment.Stats()
			return s.Active == 0 && s.Cancelled >= 1
		})
		if longest := payment.Stats().LongestMillis; longest > 5500 {
			t.Errorf("work went on for %d ms, the caller gave up after 5000", longest)
		}
		if longest := payment.Stats().LongestMillis; longest < 4800-way.Milliseconds() {
			t.Errorf("work that came after %v ended after %d ms, before the caller gave up", way, longest)
		}
	})
}

// A mistake in the YAML is one line that names its place and the way out, and changes nothing else.
func TestInvalidYAMLKeepsTheLastGood(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	good := m.Split(0, 100)
	m.Write("payments.yaml", good)
	m.Join("payment-service", "v1", "v1", nil)
	m.Join("payment-service", "v2", "v2", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	versionIs := func(want string) func() bool {
		return func() bool {
			status, got, err := checkout.Buy(Outside, "GET")
			return err == nil && status == 200 && got.PaymentVersion == want
		}
	}
	const vs, stays = "VirtualService default/payment-vs: ", "; the last good version stays in force"
	const versions = "must be networking.istio.io/v1, v1beta1 or v1alpha3, was "
	for _, mistake := range []struct{ name, right, wrong, says string }{
		{"a bad value", "weight: 100", "weight: -5",
			"19:19: " + vs + "spec.http[0].route[1].weight: must be a whole number of 0 or more, was -5" + stays},
		{"an unknown field", "perTryTimeout:", "perTryTimeuot:",
			"22:9: " + vs + "spec.http[0].retries.perTryTimeuot: there is no such field; did you mean perTryTimeout?" + stays},
		{"broken syntax", "      retries:", "     retries: [",
			"20:6: expected <block end>, but found '<block mapping start>'; correct the indentation of this line; what was last read from here stays in force"},
		{"a kind", "kind: VirtualService", "kind: VirtualServce",
			"3:7: VirtualServce default/payment-vs: kind: there is no VirtualServce in networking.istio.io/v1alpha3; did you mean VirtualService?" + stays},
		{"a version", "v1alpha3", "v1alpha33",
			"2:13: " + vs + "apiVersion: " + versions + "networking.istio.io/v1alpha33; did you mean networking.istio.io/v1alpha3?" + stays},
		{"a group", "istio.io/", "istio.i/",
			"2:13: " + vs + "apiVersion: " + versions + "networking.istio.i/v1alpha3; did you mean networking.istio.io/v1alpha3?" + stays},
		{"spec", "spec:", "spce:",
			"7:1: " + vs + "spce: there is no such field; did you mean spec?" + stays},
		{"a text for a list", "hosts:\n    - payment-service", "hosts: payment-service",
			"8:10: " + vs + "spec.hosts: must be a list, was payment-service" + stays},
		{"a route's host", "host: payment-service\n            subset: v2", "host: payment-servce\n            subset: v2",
			"17:19: " + vs + "spec.http[0].route[1].destination.host: nobody knows payment-servce.default.svc.cluster.local;" +
				" did you mean payment-service? This version waits until a Service, ServiceEntry, service account or workload has that name" + stays},
		{"a route's subset", "subset: v2", "subset: v22",
			"18:21: " + vs + "spec.http[0].route[1].destination.subset: no DestinationRule defines subset v22 of" +
				" payment-service.default.svc.cluster.local; did you mean v2? This version waits until one does" + stays},
		{"a rule's host", "  host: payment-service\n  subsets:", "  host: payment-servce\n  subsets:",
			"30:9: DestinationRule default/payment-dr: spec.host: nobody knows payment-servce.default.svc.cluster.local;" +
				" did you mean payment-service? This version waits until a Service, ServiceEntry, service account or workload has that name" + stays},
		{"a head", "apiVersion:", "apiversion:",
			"2:1: apiversion: there is no such field; did you mean apiVersion?; what was last read from here stays in force"},
		{"whose requests are routed", "hosts:\n    - payment-service", "hosts:\n    - payment-servce",
			"9:7: " + vs + "spec.hosts[0]: nobody knows payment-servce.default.svc.cluster.local;" +
				" did you mean payment-service? This version waits until a Service, ServiceEntry, service account or workload has that name" + stays},
		{"whose requests, by a wrong end", "hosts:\n    - payment-service", "hosts:\n    - payment-service.default.svc.cluster.locl",
			"9:7: " + vs + "spec.hosts[0]: nobody knows payment-service.default.svc.cluster.locl;" +
				" did you mean payment-service? This version waits until a Service, ServiceEntry, service account or workload has that name" + stays},
		{"a route's port", "subset: v2\n", "subset: v2\n            port: {number: 81}\n",
			"19:28: " + vs + "spec.http[0].route[1].destination.port.number: payment-service.default.svc.cluster.local has no port 81," +
				" only 80. This version waits until it has one" + stays},
		{"a subset's name", "- name: v2", "- name: v22",
			"35:7: DestinationRule default/payment-dr: spec.subsets[1]: subset v2 is gone (there are v1, v22; is v22 meant to be v2?), and" +
				" payments.yaml:18 (VirtualService default/payment-vs) leads to it; put it back, or change the route too." +
				" This version waits until somebody else has it, or nothing leads there" + stays},
		{"an end that is cut off", good[strings.Index(good, "---"):], "",
			"24:1: DestinationRule default/payment-dr: is gone from its file, but payments.yaml:14 (VirtualService default/payment-vs) and payments.yaml:18 (VirtualService default/payment-vs) lead to" +
				" subset v1 of payment-service.default.svc.cluster.local, subset v2 of payment-service.default.svc.cluster.local, which it defines; put it back, or change the route too." +
				" It goes by itself once nothing leads there, and at once with the whole file" + stays},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			m.Write("payments.yaml", good)
			Eventually(t, 20*time.Second, "v2 answers", versionIs("v2"))
			before := len(m.Plane.Output())
			told := func() []string {
				return regexp.MustCompile(`(?m)payments\.yaml:\d+:\d+: .*$`).FindAllString(m.Plane.Output()[before:], -1)
			}

			broken := strings.Replace(good, mistake.right, mistake.wrong, 1)
			if broken == good {
				t.Fatal("the test breaks nothing")
			}
			m.Write("payments.yaml", broken)

			Eventually(t, 5*time.Second, "the mistake is told", func() bool { return len(told()) > 0 })
			for range 50 {
				if !versionIs("v2")() {
					t.Fatal("the last good version is not in force")
				}
			}
			if lines := told(); len(lines) != 1 || lines[0] != "payments.yaml:"+mistake.says {
				t.Errorf("one line for one mistake, got\n%s\nwant\npayments.yaml:%s", strings.Join(lines, "\n"), mistake.says)
			}

			m.Write("payments.yaml", m.Split(100, 0))
			Eventually(t, 2*time.Second, "the repaired file is applied", versionIs("v1"))
			if lines := told(); len(lines) != 1 {
				t.Errorf("more is told of what is repaired:\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}

// A mistake that a control plane finds when it starts again changes nothing either, while the rest of its file is in force.
func TestRestartKeepsTheLastGood(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	m.Write("payments.yaml", m.Split(0, 100))
	m.Join("payment-service", "v1", "v1", nil)
	m.Join("payment-service", "v2", "v2", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	answers := func(want string) func() bool {
		return func() bool {
			status, got, err := checkout.Buy(Outside, "GET")
			return err == nil && status == 200 && got.PaymentVersion == want
		}
	}
	Eventually(t, 20*time.Second, "v2 answers", answers("v2"))
	for _, mistake := range []struct {
		what, text, with, told string
		// Whether it is saved while no control plane runs.
		unseen bool
	}{
		{
			"a bad value", "weight: 100", "weight: -5",
			`payments\.yaml:19:19: VirtualService default/payment-vs: spec\.http\[0]\.route\[1]\.weight:` +
				` must be a whole number of 0 or more, was -5; the last good version stays in force`, false,
		},
		{"broken syntax", "  http:", "  http: [", `payments\.yaml:\d+:\d+: .*; what was last read from here stays in force`, false},
		{
			"a misspelt field, unseen", "subset: v2", "subste: v2",
			`payments\.yaml:\d+:\d+: VirtualService default/payment-vs: .* did you mean subset\?; the last good version stays in force`, true,
		},
		{"broken syntax, unseen", "  http:", "  http: [", `payments\.yaml:\d+:\d+: .*; what was last read from here stays in force`, true},
	} {
		broken := strings.Replace(m.Split(0, 100), mistake.text, mistake.with, 1)
		if broken == m.Split(0, 100) {
			t.Fatalf("%s: the file has no %s", mistake.what, mistake.text)
		}
		if !mistake.unseen {
			m.Write("payments.yaml", broken)
			m.Plane.Says(mistake.told, 5*time.Second)
		}
		m.Plane.Kill()
		if mistake.unseen {
			m.Write("payments.yaml", broken)
		}
		m.Revive()
		m.Plane.Says(mistake.told, 5*time.Second)
		// A sidecar that starts now knows only what this control plane tells it.
		fresh := m.Join("checkout", "v1", "b", nil)
		for range 50 {
			if !answers("v2")() {
				t.Fatalf("%s: the last good version is not in force", mistake.what)
			}
			if status, got, err := fresh.Buy(Outside, "GET"); err != nil || status != 200 || got.PaymentVersion != "v2" {
				t.Fatalf("%s: a sidecar that starts after it has not the last good version: %d %+v %v", mistake.what, status, got, err)
			}
		}
		fresh.Stop(10 * time.Second)

		m.Write("payments.yaml", m.Split(100, 0))
		Eventually(t, 5*time.Second, mistake.what+": the repaired file is applied", answers("v1"))
		m.Write("payments.yaml", m.Split(0, 100))
		Eventually(t, 5*time.Second, "v2 answers again", answers("v2"))
	}
}

// A route may be saved before the rule that defines its subset: it waits, check says for what, and no request fails.
func TestRouteWaitsForItsSubset(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	m.Join("payment-service", "v2", "v2", nil)
	m.Join("payment-service", "v3", "v3", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	buy := func() string {
		status, got, err := checkout.Buy(Outside, "GET")
		if err != nil || status != 200 {
			t.Fatalf("a request fails: %d %v", status, err)
		}
		return got.PaymentVersion
	}
	Eventually(t, 20*time.Second, "v2 answers", func() bool { return buy() == "v2" })
	check := func() (string, error) {
		output, err := exec.Command(filepath.Join(Root, "bodyguard"), "check", "--state", m.State).CombinedOutput()
		return string(output), err
	}

	route := strings.Replace(SampleYAML(t), "subset: v2", "subset: v3", 1)
	m.Write("payments.yaml", route)
	m.Plane.Says(`payments\.yaml:14:21: .* no DestinationRule defines subset v3 of .* the last good version stays in force`, 5*time.Second)
	for range 50 {
		if version := buy(); version != "v2" {
			t.Fatalf("%s answers before there is a subset v3", version)
		}
	}
	if output, err := check(); err == nil || !strings.Contains(output, "no DestinationRule defines subset v3 of payment-service") {
		t.Errorf("check does not say what is waited for: %v\n%s", err, output)
	}

	m.Write("payments.yaml", strings.Replace(route, "    - name: v2\n", "    - name: v3\n      labels:\n        version: v3\n    - name: v2\n", 1))
	Eventually(t, 2*time.Second, "v3 answers", func() bool { return buy() == "v3" })
	if output, err := check(); err != nil {
		t.Errorf("check: %v\n%s", err, output)
	}
}

// A gigabyte through two sidecars stays in nobody's memory.
func TestLargeUploadIsStreamed(t *testing.T) {
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	client := checkout.Through(1)
	upload := func(size int64) {
		response, err := client.Post("http://payment-service/upload", "application/octet-stream", io.LimitReader(zeros{}, size))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != 200 {
			t.Fatalf("upload answered %s", response.Status)
		}
	}
	upload(32 << 20)
	sidecars := map[string]*Workload{"outbound": checkout, "inbound": payment}
	before := map[string]int64{}
	for name, sidecar := range sidecars {
		before[name] = liveMemory(t, sidecar)
	}

	highest := map[string]int64{}
	done := make(chan struct{})
	var sampling sync.WaitGroup
	sampling.Add(1)
	go func() {
		defer sampling.Done()
		for {
			for name, sidecar := range sidecars {
				highest[name] = max(highest[name], liveMemory(t, sidecar))
			}
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	begun := time.Now()
	upload(1 << 30)
	took := time.Since(begun)
	close(done)
	sampling.Wait()

	t.Logf("1 GiB in %v (%.0f MiB/s)", took.Round(time.Millisecond), 1024/took.Seconds())
	for name := range sidecars {
		grown := highest[name] - before[name]
		t.Logf("%s: direct memory and live heap from %d KiB to %d KiB", name, before[name]>>10, highest[name]>>10)
		if grown > 16<<20 {
			t.Errorf("%s grew by %d KiB, want at most 16 MiB", name, grown>>10)
		}
	}
	if received := payment.Stats().Bytes; received != 1<<30+32<<20 {
		t.Errorf("payment-service received %d bytes", received)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// liveMemory is what is left of the heap after a collection, and direct memory, in bytes.
func liveMemory(t *testing.T, w *Workload) int64 {
	pid := strconv.Itoa(w.Cmd.Process.Pid)
	if output, err := exec.Command(jcmd(), pid, "GC.run").CombinedOutput(); err != nil {
		t.Errorf("jcmd: %v %s", err, output)
	}
	return int64(w.Metric("jvm_memory_heap_used_bytes") + w.Metric("jvm_memory_direct_used_bytes") +
		w.Metric("bodyguard_wire_direct_memory_bytes"))
}

func jcmd() string {
	for _, home := range []string{os.Getenv("JAVA25_HOME"), os.Getenv("JAVA_HOME")} {
		if _, err := os.Stat(filepath.Join(home, "bin/jcmd")); home != "" && err == nil {
			return filepath.Join(home, "bin/jcmd")
		}
	}
	if found, _ := filepath.Glob("/usr/lib/jvm/*25*/bin/jcmd"); len(found) > 0 {
		return found[0]
	}
	return "jcmd"
}

// Certificates that live ten seconds are renewed while traffic flows.
func TestRenewalUnderTraffic(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	short := []string{"--ttl", "10s"}
	payment := m.Join("payment-service", "v2", "a", short)
	checkout := m.Join("checkout", "v1", "a", short)

	requests := 0
	for begun := time.Now(); time.Since(begun) < 25*time.Second; requests++ {
		status, got, err := checkout.Buy(Outside, "GET")
		if err != nil || status != 200 {
			t.Fatalf("after %v: %d %+v %v", time.Since(begun), status, got, err)
		}
		time.Sleep(2 * time.Millisecond)
	}

	for _, sidecar := range []*Workload{payment, checkout} {
		certificates := Compile(`now spiffe://\S+ serial \w+`).FindAllString(sidecar.Output(), -1)
		t.Logf("%s: %d requests on %d certificates", sidecar.Name, requests, len(certificates))
		// Two thirds of ten seconds, less some jitter: renewals after about 7, 13 and 20 seconds.
		if len(certificates) < 4 {
			t.Errorf("%s was not renewed at two thirds of its certificate's life: %v", sidecar.Name, certificates)
		}
		if left := sidecar.Metric("cert_expiry_seconds"); left <= 0 || left > 11 {
			t.Errorf("%s: the certificate expires in %.1f s", sidecar.Name, left)
		}
	}
	if plaintext := payment.Metric("istio_requests_total", `reporter="destination"`, `connection_security_policy="none"`); plaintext > 0 {
		t.Errorf("%.0f requests came in plaintext", plaintext)
	}
}

// What a sidecar serves to Prometheus is what Istio's dashboards ask for, and promtool has no complaint but Istio's unit.
func TestMetrics(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	for range 10 {
		if status, _, err := checkout.Buy(Outside, "GET"); err != nil || status != 200 {
			t.Fatalf("%d %v", status, err)
		}
	}

	for name, series := range map[*Workload][]string{
		checkout: {
			`reporter="source"`, `source_workload="checkout-a"`, `source_app="checkout"`, `source_version="v1"`,
			`destination_service="payment-service.default.svc.cluster.local"`, `destination_service_name="payment-service"`,
			`destination_service_namespace="default"`, `destination_workload="payment-service-a"`, `destination_version="v2"`,
			`destination_principal="spiffe://cluster.local/ns/default/sa/payment-service"`,
			`request_protocol="http"`, `response_code="200"`, `response_flags="-"`,
		},
		payment: {
			`reporter="destination"`, `source_principal="spiffe://cluster.local/ns/default/sa/checkout"`,
			`source_workload="checkout-a"`, `destination_workload="payment-service-a"`,
			`connection_security_policy="mutual_tls"`, `response_code="200"`,
		},
	} {
		if got := name.Metric("istio_requests_total", series...); got != 10 {
			t.Errorf("%s counts %.0f requests with %v, want 10:\n%s", name.Name, got, series, name.MetricsText())
		}
		if got := name.Metric("istio_request_duration_milliseconds_count", series[0]); got < 10 {
			t.Errorf("%s has %.0f durations, want 10", name.Name, got)
		}
		check := exec.Command(os.Getenv("PROMTOOL"), "check", "metrics")
		check.Stdin = strings.NewReader(name.MetricsText())
		output, err := check.CombinedOutput()
		if _, complained := err.(*exec.ExitError); err != nil && !complained {
			t.Fatalf("promtool does not run: %v", err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(output)), "\n") {
			if line != "" && !regexp.MustCompile(`^istio_\w+_milliseconds.*(unit|milliseconds)`).MatchString(line) {
				t.Errorf("promtool on %s: %s", name.Name, line)
			}
		}
	}

	line := checkout.AccessLog()[0]
	for _, key := range []string{"response_code", "response_flags", "rule", "attempts", "trace_id"} {
		if _, there := line[key]; !there {
			t.Errorf("the access log has no %s: %v", key, line)
		}
	}
	if rule, _ := line["rule"].(string); !strings.Contains(rule, "payments.yaml:") {
		t.Errorf("the access log's rule does not name its YAML line: %v", line)
	}
}

// One command, one JSON object, nothing left behind.
func TestDemo(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	demo := exec.Command(filepath.Join(Root, "bodyguard"), "demo", "--requests", "2000", "--json")
	var stdout, stderr bytes.Buffer
	demo.Stdout, demo.Stderr = &stdout, &stderr
	err := demo.Run()
	took := time.Since(begun)
	t.Logf("%v: %s", took.Round(time.Millisecond), stdout.String())
	if err != nil {
		t.Fatalf("%v\n%s", err, Tail(stderr.String(), 40))
	}

	if took > 60*time.Second {
		t.Errorf("took %v, want at most 60 s", took)
	}
	var result struct {
		Requests, Succeeded, Retries int64
		ByVersion                    map[string]int64
		MtlsShare, P50Ms, P99Ms      float64
		Spans                        int64
	}
	decoder := json.NewDecoder(&stdout)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&result); err != nil {
		t.Fatal(err)
	}
	if decoder.More() {
		t.Error("there is more than one JSON object")
	}
	if result.Requests != 2000 || result.Succeeded != 2000 || result.MtlsShare != 1 || result.ByVersion["v2"] != 2000 || result.P50Ms <= 0 || result.Spans == 0 {
		t.Errorf("not what the sample's YAML makes: %+v", result)
	}
	if !Compile(`(?m)^entry http://\S+ +summary http://127\.0\.0\.1:\d+/api/summary +rules \S+payments\.yaml`).MatchString(stderr.String()) {
		t.Errorf("it does not say where to look:\n%s", stderr.String())
	}
}
