package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// story are the commands of a section of a page, block by block: lines indented by four, as Markdown has it.
func story(t *testing.T, page, section string) [][]string {
	t.Helper()
	_, text, found := strings.Cut(read(t, page), "\n## "+section+"\n")
	if !found {
		t.Fatalf("%s has no section %s", page, section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var blocks [][]string
	inside := false
	for _, line := range strings.Split(text, "\n") {
		command, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented && inside:
			blocks[len(blocks)-1] = append(blocks[len(blocks)-1], command)
		case indented:
			blocks = append(blocks, []string{command})
		}
		inside = indented
	}
	return blocks
}

// terminal is where a person types: in the root of the checkout, and what was exported holds for what is typed afterwards.
type terminal struct {
	exported string
}

func (one *terminal) typed(t *testing.T, command string) string {
	t.Helper()
	t.Log("$ " + command)
	if strings.HasPrefix(command, "export ") {
		one.exported += command + "; "
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, filepath.Join(harness.Root, "conformance/cluster/kin"), "bash", "-c", one.exported+command)
	run.Dir = harness.Root
	output, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, harness.Tail(string(output), 20))
	}
	return string(output)
}

const pay = "kubectl get --raw /api/v1/namespaces/default/services/checkout:80/proxy/payments/42"

// payments is who answered n of them: version to how many; "failed" for those that failed.
func payments(t *testing.T, c harness.Cluster, n int) map[string]int {
	t.Helper()
	answers := map[string]int{}
	// One connection to the API server for all of them would do; a person types them one by one.
	output, _ := c.Inside("", "bash", "-c", fmt.Sprintf("for i in $(seq %d); do %s 2>&1; echo; done", n, pay))
	for _, line := range strings.Split(output, "\n") {
		switch {
		case strings.Contains(line, `"version":"v1"`):
			answers["v1"]++
		case strings.Contains(line, `"version":"v2"`) && !strings.Contains(line, `"error"`):
			answers["v2"]++
		case strings.TrimSpace(line) != "":
			answers["failed"]++
		}
	}
	return answers
}

// pods of the sample by name, less those that are on their way out, with what `of` says of each.
func pods(c harness.Cluster, of string) string {
	return c.Kubectl("get", "pods", "--sort-by=.metadata.name", "-o",
		`go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}`+of+`{{"\n"}}{{end}}{{end}}`)
}

// How often a container was started again, and what containers there are.
const (
	restartsOf   = `{{range .status.initContainerStatuses}} {{.restartCount}}{{end}}{{range .status.containerStatuses}} {{.restartCount}}{{end}}`
	containersOf = `{{range .spec.initContainers}} {{.name}}{{end}}{{range .spec.containers}} {{.name}}{{end}}`
)

// objects is everything in the cluster by kind and name, but what comes and goes by itself.
func objects(c harness.Cluster) []string {
	kinds := c.Kubectl("api-resources", "--verbs=list", "-o", "name")
	var all []string
	for _, kind := range strings.Fields(kinds) {
		name, _, _ := strings.Cut(kind, ".")
		switch name {
		case "events", "endpointslices", "leases", "endpoints", "componentstatuses", "replicasets", "controllerrevisions", "pods", "podmetrics", "nodemetrics":
			continue
		}
		output, _ := c.Inside("", "kubectl", "get", kind, "--all-namespaces", "--ignore-not-found", "-o",
			`jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\n"}{end}`)
		for _, line := range strings.Split(output, "\n") {
			if line != "" && !strings.Contains(line, "deprecated") {
				all = append(all, line)
			}
		}
	}
	sort.Strings(all)
	return all
}

func difference(all, without []string) []string {
	known := map[string]bool{}
	for _, one := range without {
		known[one] = true
	}
	var rest []string
	for _, one := range all {
		if !known[one] {
			rest = append(rest, one)
		}
	}
	return rest
}

// paid is how many requests to payment-service a summary tells of, and by how many callers that were not all by mutual TLS.
func paid(t *testing.T, text string) (requests float64, plain int) {
	t.Helper()
	var summary struct {
		Edges []struct {
			SourceNamespace, DestinationService string
			Requests, MTLS                      float64
		}
	}
	if err := json.Unmarshal([]byte(text), &summary); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, edge := range summary.Edges {
		if edge.SourceNamespace == "default" && edge.DestinationService == "payment-service.default.svc.cluster.local" {
			requests += edge.Requests
			if edge.MTLS != 1 {
				plain++
			}
		}
	}
	return requests, plain
}

// Every command of the sample's page is run, in its order, and what the page says of it is looked at.
func TestWalkthrough(t *testing.T) {
	c := harness.Kube(t)
	cleared(t, c)
	before := objects(c)
	blocks := story(t, filepath.Join(harness.Root, "samples/payments/README.md"), "On Kubernetes")
	terminal := &terminal{}
	next := func(first string) []string {
		t.Helper()
		if len(blocks) == 0 || !strings.Contains(blocks[0][0], first) {
			t.Fatalf("the page goes on with %v, and this expects %s", blocks, first)
		}
		block := blocks[0]
		blocks = blocks[1:]
		return block
	}
	run := func(first string) string {
		t.Helper()
		var last string
		for _, command := range next(first) {
			last = terminal.typed(t, command)
		}
		return last
	}
	t.Cleanup(func() {
		if t.Failed() {
			c.Tell("default")
			c.Tell(system)
		}
	})

	run("export PATH")
	run("kubernetes/payments.yaml")
	if command := next("get --raw"); len(command) != 1 || command[0] != pay {
		t.Errorf("the page pays by %v, and this by %s", command, pay)
	}
	if answers := payments(t, c, 40); answers["v1"]+answers["v2"] == 0 {
		t.Errorf("without a mesh nobody pays: %v", answers)
	} else {
		t.Logf("without a mesh: %v", answers)
	}

	began := time.Now()
	for _, command := range next("bodyguard install") {
		terminal.typed(t, command)
		if strings.HasPrefix(command, "bodyguard install") {
			took := time.Since(began)
			t.Logf("ready after %s", took)
			if took > time.Minute {
				t.Errorf("the mesh was ready after %s, wanted within a minute", took)
			}
		}
	}
	if meshed := pods(c, containersOf); strings.Count(meshed, "\n") != 3 || strings.Count(meshed, " bodyguard-proxy ") != 3 {
		t.Errorf("not every pod has a sidecar: %s", meshed)
	}
	// Pods without one may still be on their way out.
	for i, command := range next("kubectl get pods") {
		shown := terminal.typed(t, command)
		t.Log(shown)
		if what := []string{" 2/2 ", " bodyguard-init,bodyguard-proxy "}[i]; strings.Count(shown, what) != 3 {
			t.Errorf("not every pod has %q: %s", what, shown)
		}
	}
	harness.Eventually(t, 20*time.Second, "payments go through", func() bool { return payments(t, c, 1)["failed"] == 0 })

	run("strict.yaml")
	was := pods(c, restartsOf)
	conditions := run("canary.yaml")
	t.Log(conditions)
	if !strings.Contains(conditions, "Programmed") {
		t.Errorf("the route's conditions are %s", conditions)
	}
	answers := payments(t, c, 100)
	t.Logf("90/10: %v", answers)
	if answers["v1"] < 75 || answers["v1"] > 98 {
		t.Errorf("of 100 payments about 90 go to v1, was %v", answers)
	}

	run("samples/payments/mesh/payments.yaml")
	harness.Eventually(t, 20*time.Second, "all payments go to v2", func() bool { return payments(t, c, 5)["v1"] == 0 })
	if answers := payments(t, c, 60); answers["v2"] != 60 {
		t.Errorf("with retries every payment is taken by v2, was %v", answers)
	}
	if now := pods(c, restartsOf); now != was {
		t.Errorf("pods were %s and are %s", was, now)
	}

	for _, command := range next("api/summary") {
		// Sidecars report every two seconds.
		harness.Eventually(t, 20*time.Second, "the summary tells of 160 payments over mutual TLS", func() bool {
			requests, plain := paid(t, terminal.typed(t, command))
			return requests >= 160 && plain == 0
		})
	}

	enough(t, services...)

	for _, command := range next("kubectl delete -f samples/payments/mesh") {
		terminal.typed(t, command)
	}
	if len(blocks) > 0 {
		t.Errorf("the page goes on with %v", blocks)
	}
	harness.Eventually(t, time.Minute, "nothing of the mesh is left", func() bool { return len(difference(objects(c), before)) == 0 })
	if left := difference(objects(c), before); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if left := kinds(c); len(left) > 0 {
		t.Errorf("these kinds are left: %v", left)
	}
}
