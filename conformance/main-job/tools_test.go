package mainjob

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "dev.bodyguard/conformance/harness"
)

// Programs that are not ours and that a command runs: where one is missing it says so, and how to get it, before it does anything.
func TestAToolThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	for _, one := range []struct{ command, tool, said string }{
		{"install", "helm", "bodyguard: needs helm, which is not on the PATH: get it from helm.sh/docs/intro/install\n"},
		{"uninstall", "helm", "bodyguard: needs helm, which is not on the PATH: get it from helm.sh/docs/intro/install\n"},
		{"uninstall", "kubectl", "bodyguard: needs kubectl, which is not on the PATH: get it from kubernetes.io/docs/tasks/tools\n"},
	} {
		// The others are there, and would tell that they were run.
		tools := t.TempDir()
		for _, name := range []string{"helm", "kubectl"} {
			if name == one.tool {
				continue
			}
			if err := os.WriteFile(filepath.Join(tools, name), []byte("#!/bin/sh\necho $0 was run >&2\nexit 1\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.Command(filepath.Join(Root, "bodyguard"), one.command)
		command.Env = append(os.Environ(), "PATH="+tools+":"+without(t, one.tool))
		output, err := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != 1 || string(output) != one.said {
			t.Errorf("%s without %s: %v: %s", one.command, one.tool, err, output)
		}
	}
}

// without is the PATH with everything that is on it but one program.
func without(t *testing.T, program string) string {
	t.Helper()
	var folders []string
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(folder, program)); err == nil {
			folder = others(t, folder, program)
		}
		folders = append(folders, folder)
	}
	return strings.Join(folders, ":")
}

// others is a folder that leads to what another one has but for one program.
func others(t *testing.T, folder, program string) string {
	t.Helper()
	links := t.TempDir()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != program {
			if err := os.Symlink(filepath.Join(folder, entry.Name()), filepath.Join(links, entry.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return links
}
