package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Cluster is the Kubernetes that conformance/cluster/up has started, as one test uses it. Whatever a test asks of it ends
// after two minutes.
type Cluster struct {
	T *testing.T
}

// Pod is where a command runs or a log is read; without a container it is the pod's first.
type Pod struct {
	Namespace, Name, Container string
}

// Kube is the running cluster; the test fails where there is none.
func Kube(t *testing.T) Cluster {
	t.Helper()
	if _, err := os.Stat(filepath.Join(Root, ".cache/cluster/ready")); err != nil {
		t.Fatalf("conformance/cluster/up has started no cluster: %v", err)
	}
	return Cluster{t}
}

// Inside runs a command in the node's network, where every pod and Service can be reached by its address; it answers with
// what the command wrote, and with an error where it did not exit with 0.
func (c Cluster) Inside(stdin string, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, c.kin(), command...)
	run.Stdin = strings.NewReader(stdin)
	run.WaitDelay = time.Second
	output, err := run.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, Tail(string(output), 10))
	}
	return string(output), err
}

func (c Cluster) kin() string { return filepath.Join(Root, "conformance/cluster/kin") }

// Kubectl is kubectl's answer; the test fails where it is a refusal.
func (c Cluster) Kubectl(arguments ...string) string {
	c.T.Helper()
	output, err := c.Inside("", append([]string{"kubectl"}, arguments...)...)
	if err != nil {
		c.T.Fatal(err)
	}
	return output
}

var namespaces atomic.Int64

// Namespace makes a namespace for this test, with labels KEY=VALUE, and deletes it when the test ends.
func (c Cluster) Namespace(labels ...string) string {
	c.T.Helper()
	name := fmt.Sprintf("test-%d-%d", os.Getpid(), namespaces.Add(1))
	c.Kubectl("create", "namespace", name)
	c.T.Cleanup(func() {
		if c.T.Failed() {
			c.Tell(name)
		}
		_, _ = c.Inside("", "kubectl", "delete", "namespace", name, "--wait=false")
	})
	if len(labels) > 0 {
		c.Kubectl(append([]string{"label", "namespace", name}, labels...)...)
	}
	return name
}

// Tell logs what a reader of a failed test wants to know of a namespace.
func (c Cluster) Tell(namespace string) {
	for _, what := range [][]string{{"get", "all", "-o", "wide"}, {"get", "events", "--sort-by=.lastTimestamp"}} {
		output, _ := c.Inside("", append([]string{"kubectl", "-n", namespace}, what...)...)
		c.T.Logf("---- %s of %s:\n%s", what[1], namespace, Tail(output, 40))
	}
}

// Apply gives YAML to the API server and answers with what kubectl says, an admission's warnings among it.
func (c Cluster) Apply(namespace, yaml string) string {
	c.T.Helper()
	output, err := c.Inside(yaml, "kubectl", "-n", namespace, "apply", "-f", "-")
	if err != nil {
		c.T.Fatal(err)
	}
	return output
}

// Wait waits until an object, such as pod/client, has a condition in kubectl's words: condition=Ready, delete,
// jsonpath={.status.phase}=Running.
func (c Cluster) Wait(namespace, object, condition string, patience time.Duration) {
	c.T.Helper()
	c.Kubectl("-n", namespace, "wait", object, "--for", condition, "--timeout", patience.String())
}

// RolledOut waits until a workload, such as deployment/web, runs in its newest form.
func (c Cluster) RolledOut(namespace, workload string, patience time.Duration) {
	c.T.Helper()
	c.Kubectl("-n", namespace, "rollout", "status", workload, "--timeout", patience.String())
}

// Get is a field of an object, such as pod/client, by its JSONPath.
func (c Cluster) Get(namespace, object, path string) string {
	c.T.Helper()
	return c.Kubectl("-n", namespace, "get", object, "-o", "jsonpath={"+path+"}")
}

// Exec runs a command in a pod.
func (c Cluster) Exec(pod Pod, command ...string) (string, error) {
	arguments := append([]string{"kubectl"}, pod.asked("exec")...)
	return c.Inside("", append(append(arguments, "--"), command...)...)
}

// Logs is what a container has written so far.
func (c Cluster) Logs(pod Pod) string {
	c.T.Helper()
	return c.Kubectl(pod.asked("logs")...)
}

func (p Pod) asked(verb string) []string {
	arguments := []string{"-n", p.Namespace, verb, p.Name}
	if p.Container != "" {
		arguments = append(arguments, "-c", p.Container)
	}
	return arguments
}

// Curl asks a URL from the node's network, within five seconds.
func (c Cluster) Curl(url string, options ...string) (string, error) {
	return c.Inside("", append([]string{"curl", "-sS", "--fail-with-body", "-m", "5", url}, options...)...)
}

// Forward forwards a port of a pod or Service, such as service/web, until the test ends, and answers with the address in
// the node's network.
func (c Cluster) Forward(namespace, to string, port int) string {
	c.T.Helper()
	forward := Start(c.T, "port-forward to "+to, c.kin(), "kubectl", "-n", namespace, "port-forward", to, fmt.Sprintf(":%d", port))
	return strings.Fields(forward.Says(`127\.0\.0\.1:\d+ `, 20*time.Second))[0]
}
