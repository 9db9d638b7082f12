package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// What the machine had when the suite began.
var before []string

// The tests run in their order: begin_test.go starts the cluster, cluster_test.go uses it, end_test.go ends it.
func TestMain(m *testing.M) {
	if harness.Root == "" {
		fmt.Fprintln(os.Stderr, "run this by conformance/run cluster")
		os.Exit(2)
	}
	if output, err := script("down").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "what an earlier run left does not end: %s", output)
		os.Exit(1)
	}
	before = machine()
	status := m.Run()
	if output, err := script("down").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the cluster does not end: %s", output)
		status = 1
	}
	os.Exit(status)
}

func script(name string, arguments ...string) *exec.Cmd {
	return exec.Command(filepath.Join(harness.Root, "conformance/cluster", name), arguments...)
}

// up starts the cluster with what is said as it does so.
func up(t *testing.T, options ...string) string {
	t.Helper()
	command := script("up", options...)
	var said strings.Builder
	command.Stdout, command.Stderr = &said, os.Stderr
	err := command.Run()
	t.Log("up said:\n" + said.String())
	if err != nil {
		logs, _ := filepath.Glob(filepath.Join(harness.Root, ".cache/cluster/log/*.log"))
		for _, log := range logs {
			content, _ := os.ReadFile(log)
			t.Logf("---- %s:\n%s", filepath.Base(log), harness.Tail(string(content), 5))
		}
		t.Fatalf("the cluster does not start: %v", err)
	}
	return said.String()
}

// down ends the cluster; the machine is then as it was, and none of the cluster's namespaces lives on.
func down(t *testing.T) {
	t.Helper()
	const links = "readlink %s/ns/{net,mnt,pid,uts,ipc} 2>/dev/null | sort -u"
	outside := strings.Fields(shell(fmt.Sprintf(links, "/proc/self")))
	members := shell(`source "$BODYGUARD_CHECKOUT/conformance/cluster/settings.sh"; for pid in $(members); do ` +
		fmt.Sprintf(links, "/proc/$pid") + "; done | sort -u")
	own := slices.DeleteFunc(strings.Fields(members), func(namespace string) bool { return slices.Contains(outside, namespace) })
	if len(own) < len(outside) {
		t.Errorf("the cluster has too few namespaces of its own: %q", own)
	}
	if output, err := script("down").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	unchanged(t)
	// The machine's process 1 may take a moment to reap what has ended, and so long a pid namespace has a name.
	harness.Eventually(t, time.Minute, "none of the cluster's namespaces lives on", func() bool {
		alive := strings.Fields(shell(fmt.Sprintf(links, "/proc/[0-9]*")))
		return !slices.ContainsFunc(own, func(namespace string) bool { return slices.Contains(alive, namespace) })
	})
}

// unchanged fails the test where the machine has what it had not when the suite began.
func unchanged(t *testing.T) {
	t.Helper()
	for _, thing := range machine() {
		if !slices.Contains(before, thing) {
			t.Errorf("left behind: %s", thing)
		}
	}
}

// machine is every mount, link, control group and kernel setting of the machine that a cluster could
// leave or change, the cluster's processes, and its files but for the logs.
func machine() []string {
	var things []string
	add := func(kind string, lines string) {
		for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
			if line != "" {
				things = append(things, kind+" "+line)
			}
		}
	}
	state := filepath.Join(harness.Root, ".cache/cluster")
	// Network namespaces with other names are other people's.
	add("mount", shell("cut -d ' ' -f 5 /proc/self/mountinfo | grep -Ev '^/run/netns(/[^c].*)?$'"))
	add("link", shell("ip -o link | cut -d : -f 2"))
	add("control group", shell("ls -d /sys/fs/cgroup/*/bodyguard-* 2>/dev/null"))
	add("rule", shell("nft list ruleset 2>/dev/null"))
	add("folder", shell("ls -d /var/lib/cni /var/lib/kubelet /var/lib/containerd /run/containerd /var/log/pods /var/log/containers 2>/dev/null"))
	add("file", shell("ls -A '"+state+"' 2>/dev/null | grep -vx log"))
	add("setting", shell("grep -H . /proc/sys/vm/{overcommit_memory,panic_on_oom} /proc/sys/kernel/panic* /proc/sys/kernel/keys/root_max*"))
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, command := range commands {
		if content, _ := os.ReadFile(command); strings.Contains(string(content), state) {
			add("process", strings.ReplaceAll(string(content), "\x00", " "))
		}
	}
	return things
}

func shell(command string) string {
	output, _ := exec.Command("bash", "-c", command).Output()
	return string(output)
}
