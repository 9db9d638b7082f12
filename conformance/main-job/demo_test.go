package mainjob

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

type demoState struct {
	Entry        string `json:"entry"`
	ControlPlane struct {
		Pid       int    `json:"pid"`
		XDS       string `json:"xds"`
		Identity  string `json:"identity"`
		Telemetry string `json:"telemetry"`
		Admin     string `json:"admin"`
	} `json:"controlPlane"`
	Workloads []struct {
		Name       string `json:"name"`
		Version    string `json:"version"`
		Pid        int    `json:"pid"`
		SidecarPid int    `json:"sidecarPid"`
		App        string `json:"app"`
		Inbound    string `json:"inbound"`
		Outbound   string `json:"outbound"`
		Admin      string `json:"admin"`
		Metrics    string `json:"metrics"`
		SpiffeID   string `json:"spiffeId"`
	} `json:"workloads"`
}

func (d demoState) pids() []int {
	pids := []int{d.ControlPlane.Pid}
	for _, w := range d.Workloads {
		pids = append(pids, w.Pid, w.SidecarPid)
	}
	return pids
}

func (d demoState) addresses(t *testing.T) []string {
	addresses := []string{d.ControlPlane.XDS, d.ControlPlane.Identity, d.ControlPlane.Telemetry, d.ControlPlane.Admin}
	for _, w := range d.Workloads {
		metrics, err := url.Parse(w.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, w.App, w.Inbound, w.Outbound, w.Admin, metrics.Host)
	}
	return addresses
}

// The demo's state folder tells who runs where; what dies is started again on its ports; SIGTERM leaves nothing.
func TestDemoSupervisesAndCleansUp(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	demo := Start(t, "demo", filepath.Join(Root, "bodyguard"), "demo", "--state", state, "--for", "10m", "--restart-after", "1s")
	read := func() (demoState, error) {
		var d demoState
		content, err := os.ReadFile(filepath.Join(state, "mesh.json"))
		if err == nil {
			err = json.Unmarshal(content, &d)
		}
		return d, err
	}
	Eventually(t, 60*time.Second, "mesh.json is written", func() bool { _, err := read(); return err == nil })
	first, _ := read()
	for _, address := range first.addresses(t) {
		dials(t, address)
	}
	if len(first.Workloads) != 4 {
		t.Fatalf("got %d workloads, want checkout, payment-service v1 and two v2", len(first.Workloads))
	}
	response, err := Outside.Get(first.Entry)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%s answered %v %v", first.Entry, response, err)
	}
	response.Body.Close()

	second, err := exec.Command(filepath.Join(Root, "bodyguard"), "demo", "--state", state).CombinedOutput()
	if err == nil || !strings.Contains(string(second), "is in use by pid "+strconv.Itoa(first.ControlPlane.Pid)) {
		t.Errorf("a second demo in the same folder: %v, and it says %s", err, second)
	}
	for _, file := range []string{"mesh.json", "control-plane.json"} {
		if _, err := os.Stat(filepath.Join(state, file)); err != nil {
			t.Errorf("a second demo took the first one's away: %v", err)
		}
	}

	answers := func(url string) bool {
		answer, err := Outside.Get(url)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == 200
	}
	victim := first.Workloads[0]
	for _, died := range []struct {
		what string
		pid  func(demoState) int
		back func(demoState) bool
	}{
		{"sidecar", func(d demoState) int { return d.Workloads[0].SidecarPid }, func(now demoState) bool {
			return now.Workloads[0].Inbound == victim.Inbound && answers("http://"+victim.Admin+"/healthz/ready")
		}},
		{"app", func(d demoState) int { return d.Workloads[0].Pid }, func(now demoState) bool {
			return now.Workloads[0].App == victim.App && answers("http://"+victim.Admin+"/healthz/ready") && answers(now.Entry)
		}},
		{"control plane", func(d demoState) int { return d.ControlPlane.Pid }, func(now demoState) bool {
			return now.ControlPlane.XDS == first.ControlPlane.XDS && answers("http://"+first.ControlPlane.Admin+"/healthz/ready")
		}},
	} {
		before, err := read()
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(died.pid(before), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		Eventually(t, 30*time.Second, "the "+died.what+" is back on its ports", func() bool {
			now, err := read()
			return err == nil && died.pid(now) != died.pid(before) && died.back(now)
		})
	}
	Eventually(t, 30*time.Second, "a payment is made through what was started again", func() bool { return answers(first.Entry) })

	last, err := read()
	if err != nil {
		t.Fatal(err)
	}
	if !demo.Stop(20 * time.Second) {
		t.Fatal("the demo does not end on SIGTERM")
	}
	for _, pid := range last.pids() {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d is left behind", pid)
		}
	}
	for _, address := range last.addresses(t) {
		if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			connection.Close()
			t.Errorf("port %s is left behind", address)
		}
	}
}

func dials(t *testing.T, address string) {
	t.Helper()
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatalf("nobody listens on %s: %v", address, err)
	}
	connection.Close()
}

// A port in use is one line that names the port and who has it.
func TestPortInUseIsOneLine(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	yaml := t.TempDir()

	plane := Start(t, "control plane", filepath.Join(Root, "bodyguard"), "run", "-f", yaml,
		"--state", filepath.Join(t.TempDir(), "state"), "--xds-port", fmt.Sprint(port),
		"--identity-port", "0", "--discovery-port", "0", "--telemetry-port", "0", "--otlp-port", "0", "--admin-port", "0")

	line := plane.Says(fmt.Sprintf(`(?m)^.*\b%d\b.*\b%d\b.*$`, port, os.Getpid()), 30*time.Second)
	t.Log(line)
	Eventually(t, 10*time.Second, "it ends", func() bool { return !plane.Alive() })
	if plane.Cmd.ProcessState.ExitCode() == 0 {
		t.Error("it ended with status 0")
	}
}

// An app whose port somebody else has is not started, and nobody takes the other one for it.
func TestPortInUseOfAnAppIsOneLine(t *testing.T) {
	t.Parallel()
	taken := func(listener net.Listener, err error) int {
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		return listener.Addr().(*net.TCPAddr).Port
	}
	m := NewMesh(t)
	for name, address := range map[string]string{"on 127.0.0.1": "127.0.0.1:0", "on all addresses": ":0"} {
		t.Run(name, func(t *testing.T) {
			port := taken(net.Listen("tcp", address))

			sidecar := Start(t, "sidecar", filepath.Join(Root, "bodyguard"), "sidecar", "--state", m.State,
				"--service", "payment-service", "--name", "foreign", "--app-port", fmt.Sprint(port),
				"--", filepath.Join(Apps, "payment-service"), "--addr", fmt.Sprintf("127.0.0.1:%d", port))

			Eventually(t, 20*time.Second, "it ends", func() bool { return !sidecar.Alive() })
			t.Log(sidecar.Output())
			if sidecar.Cmd.ProcessState.ExitCode() == 0 {
				t.Error("it ended with status 0")
			}
			line := fmt.Sprintf(`^bodyguard sidecar foreign: port 127\.0\.0\.1:%d \(--app-port\) is in use by pid %d \(.*\n$`, port, os.Getpid())
			if !Compile(line).MatchString(sidecar.Output()) {
				t.Errorf("it does not say %s", line)
			}
		})
	}

	t.Run("taken while the app starts", func(t *testing.T) {
		port := FreePort(t)
		begun := filepath.Join(t.TempDir(), "begun")
		sidecar := Start(t, "sidecar", filepath.Join(Root, "bodyguard"), "sidecar", "--state", m.State,
			"--service", "payment-service", "--name", "late", "--app-port", fmt.Sprint(port),
			"--", "sh", "-c", `touch "$0"; until [ -e "$0.go" ]; do sleep 0.1; done; exec "$1" --addr "$2"`,
			begun, filepath.Join(Apps, "payment-service"), fmt.Sprintf("127.0.0.1:%d", port))
		Eventually(t, 20*time.Second, "the app begins", func() bool { _, err := os.Stat(begun); return err == nil })
		taken(net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)))
		if err := os.WriteFile(begun+".go", nil, 0o600); err != nil {
			t.Fatal(err)
		}

		t.Log(sidecar.Says(fmt.Sprintf(`(?m)^.*the app ended with status 1; port 127\.0\.0\.1:%d .* is in use by pid %d .*$`,
			port, os.Getpid()), 20*time.Second))
	})
}
