// Package capture holds the init container's script and the sidecar's captured ports to their promises, with the kernel's
// own rules between real sockets.
package capture

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dev.bodyguard/conformance/harness"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		play(role, os.Args[1:])
		return
	}
	harness.Main(m)
}

// Network is a bridge in a namespace of its own, to which pods are plugged.
type Network struct {
	t    *testing.T
	node string
	pods int
}

// NewNetwork makes a network that is gone when the test ends; the node has the addresses 10.77.0.1 and fd77::1.
func NewNetwork(t *testing.T) *Network {
	t.Helper()
	n := &Network{t: t, node: fmt.Sprintf("bodyguard-%d", os.Getpid())}
	n.namespace(n.node)
	n.ip("-n", n.node, "link", "add", "bridge", "type", "bridge")
	n.ip("-n", n.node, "link", "set", "bridge", "up")
	n.address(n.node, "bridge", "10.77.0.1", "fd77::1")
	return n
}

func (n *Network) namespace(name string) {
	n.t.Helper()
	n.ip("netns", "add", name)
	n.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	n.ip("-n", name, "link", "set", "lo", "up")
}

func (n *Network) address(namespace, device, v4, v6 string) {
	n.t.Helper()
	n.ip("-n", namespace, "address", "add", v4+"/24", "dev", device)
	n.ip("-n", namespace, "address", "add", v6+"/64", "dev", device, "nodad")
}

func (n *Network) ip(arguments ...string) {
	n.t.Helper()
	if output, err := exec.Command("ip", arguments...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v: %s", strings.Join(arguments, " "), err, output)
	}
}

// Pod is a network namespace with an address of each family.
type Pod struct {
	t         *testing.T
	Namespace string
	V4, V6    string
}

// Pod plugs another one in.
func (n *Network) Pod() *Pod {
	n.t.Helper()
	n.pods++
	number := n.pods + 10
	p := &Pod{
		t: n.t, Namespace: fmt.Sprintf("%s-%d", n.node, number),
		V4: fmt.Sprintf("10.77.0.%d", number), V6: fmt.Sprintf("fd77::%d", number),
	}
	n.namespace(p.Namespace)
	port := fmt.Sprintf("pod%d", number)
	n.ip("-n", n.node, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", p.Namespace)
	n.ip("-n", n.node, "link", "set", port, "master", "bridge", "up")
	n.address(p.Namespace, "eth0", p.V4, p.V6)
	n.ip("-n", p.Namespace, "link", "set", "eth0", "up")
	// As container runtimes do.
	n.ip("netns", "exec", p.Namespace, "sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0")
	n.ip("-n", p.Namespace, "route", "add", "default", "via", "10.77.0.1")
	n.ip("-n", p.Namespace, "-6", "route", "add", "default", "via", "fd77::1")
	return p
}

// Node is the namespace that all pods reach.
func (n *Network) Node() *Pod {
	return &Pod{t: n.t, Namespace: n.node, V4: "10.77.0.1", V6: "fd77::1"}
}

// Command is what runs a program in the pod.
func (p *Pod) Command(program ...string) []string {
	return append([]string{"ip", "netns", "exec", p.Namespace}, program...)
}

// Serves starts a server of the test's own, as a user, on each LABEL@ADDRESS.
func (p *Pod) Serves(user string, ports ...string) {
	p.t.Helper()
	server := harness.StartWith(p.t, "server in "+p.Namespace,
		[]string{roleVariable + "=serve", userVariable + "=" + user}, p.Command(append([]string{os.Args[0]}, ports...)...)...)
	server.Says("serving", patience)
}

// Hears is what a user's connection to an address is told.
func (p *Pod) Hears(user, from, to string) string {
	p.t.Helper()
	command := p.Command(os.Args[0], from, to)
	client := exec.Command(command[0], command[1:]...)
	client.Env = append(os.Environ(), roleVariable+"=dial", userVariable+"="+user)
	output, err := client.CombinedOutput()
	if err != nil {
		p.t.Fatalf("dialling %s: %v: %s", to, err, output)
	}
	return strings.TrimSpace(string(output))
}

// Gets is the status and the body that a user's client gets.
func (p *Pod) Gets(user, url, address string) string {
	p.t.Helper()
	command := p.Command(os.Args[0], url, address)
	client := exec.Command(command[0], command[1:]...)
	client.Env = append(os.Environ(), roleVariable+"=get", userVariable+"="+user)
	output, err := client.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v: %s", url, err, output)
	}
	return strings.TrimSpace(string(output))
}

// Capture runs the init container's script in the pod, with one kind of iptables in its path or whatever there is, and
// answers with what it printed and how it ended.
func (p *Pod) Capture(kind string, settings ...string) (string, string, error) {
	p.t.Helper()
	command := p.Command("sh", scriptFile())
	script := exec.Command(command[0], command[1:]...)
	script.Env = append(os.Environ(), settings...)
	if kind != "" {
		script.Env = append(script.Env, "PATH="+onlyWith(p.t, kind))
	}
	var said, complained bytes.Buffer
	script.Stdout, script.Stderr = &said, &complained
	err := script.Run()
	return said.String(), strings.TrimSpace(complained.String()), err
}

// onlyWith is a folder of programs as the init image has them, with one kind of iptables.
func onlyWith(t *testing.T, kind string) string {
	t.Helper()
	folder := t.TempDir()
	names := []string{"sh", "ip", "tr", "head"}
	for _, family := range []string{"iptables", "ip6tables"} {
		names = append(names, family+"-"+kind, family+"-"+kind+"-restore")
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		// Through links: iptables looks at the name that it is called by.
		if err := os.Symlink(path, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func at(address string, port int) string {
	return net.JoinHostPort(address, fmt.Sprint(port))
}

func scriptFile() string {
	return filepath.Join(harness.Root, "images/init/capture")
}
