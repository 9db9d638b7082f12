package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// A sidecar that goes loses nobody who has just come: each payment has a connection of its own and is a POST, which
// nobody may send twice.
func TestDrainTakesWhoHasJustCome(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	m.Write("payments.yaml", patient(t))
	m.Join("payment-service", "v2", "a", nil)
	port, outbound := FreePort(t), FreePort(t)
	proxy := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", outbound)}
	Start(t, "checkout's app", filepath.Join(Apps, "checkout"), "--addr", fmt.Sprintf("127.0.0.1:%d", port))
	checkout := m.Beside(port, "checkout", "v1", "a", "--outbound-port", strconv.Itoa(outbound))
	checkout.Ready(60 * time.Second)
	app := &http.Client{
		Timeout:   15 * time.Second,
		Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true},
	}
	pay := func() error {
		response, err := app.Post("http://payment-service/pay", "application/json", strings.NewReader("{}"))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		said, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != 200 {
			err = fmt.Errorf("status %d: %s", response.StatusCode, said)
		}
		return err
	}
	Eventually(t, 30*time.Second, "the app reaches payment-service", func() bool { return pay() == nil })

	var refused, waiting atomic.Int64
	load := Under(t, 200, func() error {
		err := pay()
		waiting.Add(1)
		defer waiting.Add(-1)
		// Nobody listens until the next sidecar does, and the app is told so before it has sent a byte.
		for range 30 {
			if err == nil || !strings.Contains(err.Error(), "connection refused") {
				break
			}
			refused.Add(1)
			time.Sleep(time.Second)
			err = pay()
		}
		return err
	})
	for range 4 {
		Eventually(t, 30*time.Second, "the load flows", func() bool {
			return waiting.Load() == 0 && len(checkout.AccessLog()) > 200
		})
		if !checkout.Stop(15 * time.Second) {
			t.Errorf("%s does not end", checkout.Name)
		}
		checkout.Again(m)
		checkout.Ready(30 * time.Second)
	}
	Eventually(t, 20*time.Second, "the last sidecar carries the load", func() bool { return len(checkout.AccessLog()) > 200 })
	load.Unharmed()
	t.Logf("%d times the app was refused a connection, and asked again", refused.Load())
}
