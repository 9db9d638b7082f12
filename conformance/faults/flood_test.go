package faults

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// As many connections as a sidecar accepts, each with a large request at the same moment, to an app that takes its time:
// what there is no memory for is refused with a flag and a sentence, nothing breaks, and afterwards all is as before.
func TestFloodOfLargeRequests(t *testing.T) {
	const connections, head = 9_900, 6_700
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Max < connections+1_000 {
		t.Skipf("one process may open %d files, %d are needed", files.Max, connections+1_000)
	}
	m := NewMesh(t)
	m.Write("payments.yaml", "# Nothing is said, so no time runs out.\n")
	payment := m.Join("payment-service", "v2", "a", nil, "--delay", "2s")
	checkout := m.Join("checkout", "v1", "a", nil)
	reachable(t, checkout)
	pids := map[string]int{"checkout": checkout.State.Pid, "payment-service": payment.State.Pid}
	before := map[string]string{}
	for name, pid := range pids {
		before[name] = resident(t, pid)
	}

	request := []byte("GET /pay HTTP/1.1\r\nHost: payment-service\r\nX-Large: " + strings.Repeat("x", head) + "\r\n\r\n")
	var open []net.Conn
	for range connections {
		connection, err := net.DialTimeout("tcp", checkout.State.Outbound, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		open = append(open, connection)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{}
	for _, connection := range open {
		running.Add(1)
		go func() {
			defer running.Done()
			_ = connection.SetDeadline(time.Now().Add(60 * time.Second))
			answer := "no answer"
			if _, err := connection.Write(request); err == nil {
				if response, err := http.ReadResponse(bufio.NewReader(connection), nil); err == nil {
					answer = fmt.Sprint(response.StatusCode, " ", response.Header.Get("x-bodyguard-flag"), " retry-after ", response.Header.Get("retry-after"))
				}
			}
			mu.Lock()
			answers[answer]++
			mu.Unlock()
		}()
	}
	running.Wait()

	t.Log(answers)
	if answers["200  retry-after "] == 0 || answers["200  retry-after "]+answers["503 UO retry-after 1"] != connections {
		t.Error("want every request answered, by the app or by a refusal with a flag")
	}
	if !checkout.Alive() || !payment.Alive() {
		t.Fatal("a sidecar did not survive")
	}
	for name, pid := range pids {
		t.Logf("%s: resident %s before, %s after", name, before[name], resident(t, pid))
	}
	for range 20 {
		if err := checkout.Paid(); err != nil {
			t.Fatal("afterwards: ", err)
		}
	}
}

func resident(t *testing.T, pid int) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(regexp.MustCompile(`VmRSS:\s+(.*)`).FindSubmatch(status)[1])
}
