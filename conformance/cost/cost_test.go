// Package cost measures what a feature costs a sidecar.
package cost

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

const (
	rate   = 100 // requests a second and mesh
	warmUp = 30 * time.Second
	window = 60 * time.Second
)

func TestMain(m *testing.M) { Main(m) }

// Reporting costs a sidecar little, with every request traced. Both meshes are under the same load at the same time, so
// that whatever else the machine does harms both alike.
func TestReportingCost(t *testing.T) {
	silent := newMesh(t, "silent", true)
	reporting := newMesh(t, "reporting", false)
	for _, m := range []*measured{silent, reporting} {
		m.load = Under(t, rate, m.checkout.Paid)
	}
	time.Sleep(warmUp)
	for _, m := range []*measured{silent, reporting} {
		m.begin(t)
	}
	time.Sleep(window)
	for _, m := range []*measured{silent, reporting} {
		m.end(t)
		m.load.Unharmed()
	}

	for i, name := range []string{"checkout's sidecar", "payment-service's sidecar"} {
		without, with := silent.used[i], reporting.used[i]
		t.Logf("%s: %.2f ms CPU a request without, %.2f with (%+.0f %%); resident %d MiB without, %d with",
			name, perRequest(without), perRequest(with), 100*(float64(with)/float64(without)-1),
			silent.resident[i]>>20, reporting.resident[i]>>20)
		if with > without*3/2 {
			t.Errorf("%s: reporting costs half as much as serving", name)
		}
		if reporting.resident[i] > silent.resident[i]+24<<20 {
			t.Errorf("%s: reporting costs more than 24 MiB", name)
		}
	}
	if spans := reporting.checkout.Metric("bodyguard_telemetry_spans_sent_total"); spans < rate*window.Seconds()/2 {
		t.Errorf("%v spans were sent: this measured nothing", spans)
	}
	if spans := silent.checkout.Metric("bodyguard_telemetry_spans_sent_total"); spans != 0 {
		t.Errorf("%v spans were sent by a sidecar that has nobody to tell", spans)
	}
}

func perRequest(cpu time.Duration) float64 {
	return cpu.Seconds() * 1000 / (rate * window.Seconds())
}

// A mesh of two workloads, and what their sidecars used.
type measured struct {
	checkout, payment *Workload
	load              *Load
	used              [2]time.Duration
	resident          [2]int64
}

func newMesh(t *testing.T, name string, silent bool) *measured {
	m := NewMesh(t)
	if silent {
		file := filepath.Join(m.State, "control-plane.json")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var told map[string]any
		if err := json.Unmarshal(content, &told); err != nil {
			t.Fatal(err)
		}
		if told["otlp"] == nil {
			t.Fatalf("nobody takes telemetry: %s", content)
		}
		delete(told, "otlp")
		content, _ = json.Marshal(told)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := []string{"--trace-sampling", "100"}
	return &measured{
		payment:  m.Join("payment-service", "v2", name, options),
		checkout: m.Join("checkout", "v1", name, options),
	}
}

func (m *measured) begin(t *testing.T) {
	for i, w := range []*Workload{m.checkout, m.payment} {
		m.used[i] = -cpu(t, w.State.Pid)
	}
}

func (m *measured) end(t *testing.T) {
	for i, w := range []*Workload{m.checkout, m.payment} {
		m.used[i] += cpu(t, w.State.Pid)
		m.resident[i] = resident(t, w.State.Pid)
	}
}

// cpu is what a process has used so far, in user and system mode (proc(5): utime and stime, in hundredths of a second).
func cpu(t *testing.T, pid int) time.Duration {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The name before the last parenthesis may hold anything.
	fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+2:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func resident(t *testing.T, pid int) int64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
