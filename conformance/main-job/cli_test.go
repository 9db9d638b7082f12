package mainjob

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// Status and check tell what is well and, with a reason, what is not.
func TestStatusAndCheck(t *testing.T) {
	m := NewMesh(t)
	payment := m.Join("payment-service", "v2", "a", nil)
	m.Join("checkout", "v1", "a", nil)
	bodyguard := func(command ...string) (string, error) {
		output, err := exec.Command(filepath.Join(Root, "bodyguard"), append(command, "--state", m.State)...).CombinedOutput()
		return string(output), err
	}

	var status struct {
		ControlPlane string
		Proxies      []struct {
			Name              string
			Connected, InSync bool
			Seconds           int64 `json:"certificateExpiresInSeconds"`
			Problems          []string
		}
	}
	Eventually(t, 10*time.Second, "both proxies are in sync", func() bool {
		output, err := bodyguard("status", "--json")
		if err != nil || json.Unmarshal([]byte(output), &status) != nil {
			t.Fatalf("status: %v\n%s", err, output)
		}
		return len(status.Proxies) == 2 && status.Proxies[0].InSync && status.Proxies[1].InSync
	})
	for _, proxy := range status.Proxies {
		if !proxy.Connected || proxy.Seconds < 3600 || len(proxy.Problems) > 0 {
			t.Errorf("want it to be well: %+v", proxy)
		}
	}
	if output, err := bodyguard("check"); err != nil {
		t.Errorf("check: %v\n%s", err, output)
	}

	_ = syscall.Kill(payment.State.Pid, syscall.SIGKILL)
	_ = syscall.Kill(payment.State.ChildPid, syscall.SIGTERM)
	m.Write("broken.yaml", "kind: [")
	m.Plane.Says(`broken\.yaml:1:`, 5*time.Second)
	output, err := bodyguard("check")
	if err == nil {
		t.Error("check ends with status 0 though a sidecar was killed and a file cannot be read")
	}
	for _, want := range []string{`FAIL  payment-service-a runs and is ready: .*pid \d+, does not run any more`, `FAIL  .*broken\.yaml:1:`} {
		if !regexp.MustCompile(want).MatchString(output) {
			t.Errorf("check does not say %q:\n%s", want, output)
		}
	}
}
