package mainjob

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A second sidecar under a name is told once by whom it is taken, waits, and follows where that one is killed.
func TestNameIsOneSidecars(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	first := m.Join("payment-service", "v2", "1", nil)
	second := Start(t, "second", filepath.Join(Root, "bodyguard"), "sidecar", "--state", m.State, "--service", "payment-service",
		"--version", "v2", "--name", first.Name, "--app-port", first.App[strings.LastIndex(first.App, ":")+1:])
	announced := func() (running SidecarState) {
		content, err := os.ReadFile(filepath.Join(m.State, "sidecars", first.Name, "sidecar.json"))
		if err != nil || json.Unmarshal(content, &running) != nil {
			t.Fatalf("%v: %s", err, content)
		}
		return running
	}

	taken := "the name default/" + first.Name + " is taken: the sidecar at " + first.State.Inbound + " has it since "
	second.Says(regexp.QuoteMeta(taken)+`\S+Z and renews its lease; end that one, or choose another --name \(on this machine: pid `+
		fmt.Sprint(first.State.Pid)+`\)`, time.Minute)
	Eventually(t, time.Minute, "it asked again and again", func() bool { return refused(t, m) >= 6 })
	if told := strings.Count(second.Output(), taken) + strings.Count(m.Plane.Output(), taken); told != 2 {
		t.Errorf("it was told %d times:\n%s", told, second.Output())
	}
	if strings.Contains(first.Output(), "is taken") || strings.Contains(second.Output(), "discovery: enrolled") {
		t.Errorf("the second one had the name:\n%s", first.Output())
	}
	if now := announced(); now.Pid != first.State.Pid {
		t.Errorf("%d is announced, not %d", now.Pid, first.State.Pid)
	}

	// Its app goes on, and holds what it writes to: there is no waiting for its end.
	t.Cleanup(func() { _ = syscall.Kill(first.State.ChildPid, syscall.SIGTERM) })
	if err := first.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	second.Says(`discovery: enrolled`, 20*time.Second)
	Eventually(t, 5*time.Second, "the second one is announced", func() bool { return announced().Pid == second.Cmd.Process.Pid })
	checkout := m.Join("checkout", "v1", "1", nil)
	Eventually(t, 10*time.Second, "the second one serves", func() bool { return checkout.Paid() == nil })
}

// How often discovery has refused a registration.
func refused(t *testing.T, m *Mesh) int {
	t.Helper()
	var plane struct {
		Admin string `json:"admin"`
	}
	content, err := os.ReadFile(filepath.Join(m.State, "control-plane.json"))
	if err != nil || json.Unmarshal(content, &plane) != nil {
		t.Fatalf("%v: %s", err, content)
	}
	response, err := Outside.Get("http://" + plane.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	metrics, _ := io.ReadAll(response.Body)
	found := regexp.MustCompile(`(?m)^bodyguard_discovery_refused_total (\d+)`).FindSubmatch(metrics)
	if found == nil {
		t.Fatalf("no count of refusals in %s", metrics)
	}
	count, _ := strconv.Atoi(string(found[1]))
	return count
}
