package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A drain has an end, whatever goes on: neither a stream without one nor an app that does not listen to SIGTERM keeps a
// sidecar longer than it was given, by default less than docker stop waits, in the demo less than the demo does. What can
// be finished is.
func TestDrainHasAnEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options []string
		within  time.Duration
	}{
		{"by default", nil, 9 * time.Second},
		{"as the demo wants it", []string{"--drain-time", "5s"}, 6 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := NewMesh(t)
			port := FreePort(t)
			address := fmt.Sprintf("127.0.0.1:%d", port)
			program, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			callee := m.Beside(port, "payment-service", "v2", "a",
				append(c.options, "--", "/usr/bin/env", stubborn+"="+address, program)...)
			callee.Ready(60 * time.Second)
			caller := m.Join("checkout", "v1", "a", c.options)
			client := caller.Through(16)
			get := func(path string) (*http.Response, error) { return client.Get("http://payment-service" + path) }
			Eventually(t, 30*time.Second, "the app is reached", func() bool {
				response, err := get("/")
				if err != nil {
					return false
				}
				defer response.Body.Close()
				_, _ = io.Copy(io.Discard, response.Body)
				return response.StatusCode == 200
			})
			endless, err := get("/endless")
			if err != nil {
				t.Fatal(err)
			}
			defer endless.Body.Close()
			type answer struct {
				status int
				err    error
			}
			slow := make(chan answer)
			go func() {
				response, err := get("/slow")
				if err != nil {
					slow <- answer{err: err}
					return
				}
				defer response.Body.Close()
				slow <- answer{status: response.StatusCode}
			}()
			time.Sleep(500 * time.Millisecond)

			told := time.Now()
			signal(t, callee.State.Pid, syscall.SIGTERM)
			if got := <-slow; got.status != 200 {
				t.Errorf("what could be finished was not: %v", got)
			}
			ends(t, callee, told, c.within)
			if syscall.Kill(callee.State.ChildPid, 0) == nil {
				t.Errorf("the app, pid %d, is left behind", callee.State.ChildPid)
				_ = syscall.Kill(callee.State.ChildPid, syscall.SIGKILL)
			}
			callee.Says(`cut off a connection from callers with something still under way`, time.Second)
			callee.Says(`killed the app, pid \d+: it had not ended \d+ ms after this sidecar was told to`, time.Second)
			if _, err := io.Copy(io.Discard, endless.Body); err == nil {
				t.Error("the stream that was cut off looks as if it were whole")
			}
		})
	}
}

// ends waits until a sidecar has, which is to be in time.
func ends(t *testing.T, w *Workload, told time.Time, within time.Duration) {
	t.Helper()
	Eventually(t, within+10*time.Second, w.Name+" ends", func() bool { return !w.Alive() })
	if took := time.Since(told); took > within {
		t.Errorf("%s took %v to end, want at most %v", w.Name, took, within)
	} else {
		t.Logf("%s ended after %v", w.Name, took.Round(time.Millisecond))
	}
}
