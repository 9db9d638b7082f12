package mainjob

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A replica that answers 500 three times in a row gets nothing for as long as the rule says, and comes back within a
// moment after that. Nothing is retried, so callers see those three failures and no other.
func TestEjection(t *testing.T) {
	t.Parallel()
	const base = 5 * time.Second
	m := NewMesh(t)
	m.Write("payments.yaml", strings.Replace(strings.Replace(SampleYAML(t),
		"attempts: 3\n        perTryTimeout: 2s", "attempts: 0", 1),
		"  subsets:\n", `  trafficPolicy:
    outlierDetection: {consecutive5xxErrors: 3, baseEjectionTime: 5s, maxEjectionPercent: 50}
  subsets:
`, 1))
	m.Join("payment-service", "v2", "good", nil)

	var healed atomic.Bool
	var mutex sync.Mutex
	var arrivals []time.Time
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mutex.Lock()
		arrivals = append(arrivals, time.Now())
		mutex.Unlock()
		if !healed.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})}
	go func() { _ = bad.Serve(listener) }()
	t.Cleanup(func() { _ = bad.Close() })
	received := func() []time.Time {
		mutex.Lock()
		defer mutex.Unlock()
		return append([]time.Time(nil), arrivals...)
	}
	m.Beside(listener.Addr().(*net.TCPAddr).Port, "payment-service", "v2", "bad").Ready(60 * time.Second)
	checkout := m.Join("checkout", "v1", "a", nil)

	statuses := map[int]int{}
	client := checkout.Through(1)
	pay := func() {
		t.Helper()
		response, err := client.Get("http://payment-service/pay")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		statuses[response.StatusCode]++
	}
	Eventually(t, 30*time.Second, "the bad replica has failed three times", func() bool {
		pay()
		return len(received()) == 3
	})
	ejected := time.Now()

	page := func(path string) string {
		response, err := Outside.Get("http://" + checkout.State.Admin + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return string(body)
	}
	const why = "as 3 times in a row it answered 5xx or not at all"
	if problems := page("/problems"); !strings.Contains(problems, "workload payment-service-bad at ") || !strings.Contains(problems, why) ||
		!strings.Contains(problems, "DestinationRule default/payment-dr") {
		t.Errorf("/problems does not tell: %s", problems)
	}
	if explained := page("/explain?url=http://payment-service/pay"); !strings.Contains(explained, why) {
		t.Errorf("/explain does not tell: %s", explained)
	}
	if now := checkout.Metric("bodyguard_upstream_endpoints_ejected"); now != 1 {
		t.Errorf("%.0f endpoints are ejected, want 1", now)
	}

	// It would be right again long before anybody asks it.
	healed.Store(true)
	Eventually(t, base+10*time.Second, "it is asked again", func() bool {
		pay()
		return len(received()) > 3
	})
	back := received()[3]
	t.Logf("three failures, then nothing for %v, %v after callers knew; statuses %v", back.Sub(received()[2]), back.Sub(ejected), statuses)
	if pause := back.Sub(received()[2]); pause < base {
		t.Errorf("it was asked again %v after its third failure, want %v at least", pause, base)
	}
	// Half of all requests go to it from then on; two seconds are left for chance and a busy machine.
	if late := back.Sub(ejected) - base; late > 2*time.Second {
		t.Errorf("it was asked again %v after its time was over", late)
	}
	for range 100 {
		pay()
	}
	if statuses[500] != 3 || len(statuses) != 2 {
		t.Errorf("callers saw %v, want 500 three times, otherwise 200", statuses)
	}
	if more := len(received()); more < 20 {
		t.Errorf("since it is back it was asked %d times in 100", more-3)
	}
	const cluster = `outbound\|80\|v2\|payment-service\.default\.svc\.cluster\.local`
	t.Log(checkout.Says(`ejected workload payment-service-bad at \S+ from `+cluster+` for 5000 ms: 3 times in a row it answered 5xx or not at all; DestinationRule default/payment-dr .*payments\.yaml:\d+.*`, time.Second))
	t.Log(checkout.Says(`workload payment-service-bad at \S+ is in service again in `+cluster+`.*`, time.Second))
	if total := checkout.Metric("bodyguard_upstream_ejections_total", `reason="consecutive_5xx"`); total != 1 {
		t.Errorf("%.0f ejections counted, want 1", total)
	}
}
