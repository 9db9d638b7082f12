package faults

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// The sidecar that an app calls through is replaced beneath the app, which goes on. All that is under way is answered, what
// comes later by the next sidecar. Between the two nobody listens where HTTP_PROXY leads, and the app says at once that
// its connection was refused: nothing was sent, so the load asks again, and only that does not count as a failure.
func TestCallersSidecarReplaced(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil, "--delay", "200ms")
	port, outbound := FreePort(t), FreePort(t)
	proxy := fmt.Sprintf("http://127.0.0.1:%d", outbound)
	StartWith(t, "checkout's app", []string{"HTTP_PROXY=" + proxy, "NO_PROXY="}, filepath.Join(Apps, "checkout"), "--addr", fmt.Sprintf("127.0.0.1:%d", port))
	checkout := m.Beside(port, "checkout", "v1", "a", "--outbound-port", strconv.Itoa(outbound))
	checkout.Ready(60 * time.Second)
	reachable(t, checkout)

	var refused, waiting atomic.Int64
	load := Under(t, 30, func() error {
		err := checkout.Paid()
		waiting.Add(1)
		defer waiting.Add(-1)
		for range 60 {
			if err == nil || !strings.Contains(err.Error(), "connection refused") {
				break
			}
			refused.Add(1)
			time.Sleep(500 * time.Millisecond)
			err = checkout.Paid()
		}
		return err
	})
	for range 2 {
		// By then the app keeps as many connections as it needs, so it opens none at the very moment when the port closes.
		Eventually(t, 30*time.Second, "the load flows, and requests are under way", func() bool {
			return waiting.Load() == 0 && len(checkout.AccessLog()) > 100 && payment.Stats().Active >= 3
		})
		if !checkout.Stop(15 * time.Second) {
			t.Errorf("%s does not end", checkout.Name)
		}
		checkout.Again(m)
		checkout.Ready(30 * time.Second)
	}
	Eventually(t, 10*time.Second, "the last sidecar carries the load", func() bool { return len(checkout.AccessLog()) > 100 })
	load.Unharmed()
	t.Logf("%d times the app was refused a connection, and asked again", refused.Load())
}
