package kubernetes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dev.bodyguard/conformance/harness"
)

const system = "bodyguard-system"

// services are the control plane's, each a Deployment of its own but in the minimal profile.
var services = []string{"identity", "discovery", "config", "telemetry", "injector"}

func TestMain(m *testing.M) { harness.Main(m) }

// charts is a chart's folder.
func chart(name string) string { return filepath.Join(harness.Root, "charts", name) }

// bodyguard runs the command line in the node's network; the test fails where it does not end well.
func bodyguard(t *testing.T, c harness.Cluster, arguments ...string) string {
	t.Helper()
	output, err := c.Inside("", append([]string{filepath.Join(harness.Root, "bodyguard")}, arguments...)...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// tool runs a program on standard input and answers with what it wrote.
func tool(input string, command ...string) (string, error) {
	run := exec.Command(command[0], command[1:]...)
	run.Stdin = strings.NewReader(input)
	output, err := run.CombinedOutput()
	return string(output), err
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
