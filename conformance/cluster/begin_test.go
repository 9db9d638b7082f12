package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

func TestWhatIsMissingIsSaidInOneLine(t *testing.T) {
	elsewhere := t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "uname"), []byte("#!/bin/sh\necho Darwin\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for missing, command := range map[string][]string{
		"it needs Linux, and this is Darwin":                         {"env", "PATH=" + elsewhere + ":" + os.Getenv("PATH")},
		"it makes namespaces and mounts, and for that it needs root": {"setpriv", "--reuid", "65534", "--clear-groups"},
		"no namespaces":     {"setpriv", "--bounding-set", "-sys_admin"},
		"no option --fancy": {},
	} {
		up := script("up").Path
		arguments := append(slices.Clone(command), up)
		if len(command) == 0 {
			arguments = append(arguments, "--fancy")
		}
		output, err := exec.Command(arguments[0], arguments[1:]...).CombinedOutput()
		if err == nil || !strings.Contains(string(output), missing) || len(command) > 0 && strings.Count(string(output), "\n") != 1 {
			t.Errorf("%v: %v, and it says %s", arguments, err, output)
		}
	}
	unchanged(t)
}

func TestAKilledStartIsCleaned(t *testing.T) {
	command := script("up")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, 60*time.Minute, "containerd runs, and the node is not yet ready", func() bool {
		for _, file := range []string{"node.pid", "log/containerd.log"} {
			if _, err := os.Stat(filepath.Join(harness.Root, ".cache/cluster", file)); err != nil {
				return false
			}
		}
		return true
	})
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	down(t)
}

func TestItStarts(t *testing.T) {
	up(t)
	c := harness.Kube(t)
	c.Wait("default", "node/node1", "condition=Ready", time.Second)
	if version := c.Kubectl("version"); strings.Count(version, "v1.34.") < 2 {
		t.Errorf("kubectl and the API server say %s", version)
	}
	if again := up(t); !strings.Contains(again, "running already") {
		t.Errorf("a second start says %s", again)
	}
}
