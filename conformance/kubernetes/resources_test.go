package kubernetes

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// used is what kubelet says that the containers of our pods use: "name" of the container to its working set in MiB and the CPU
// seconds it has taken since its start. A sidecar is the largest of all there are.
func used(t *testing.T, c harness.Cluster) map[string][2]float64 {
	t.Helper()
	node := c.Kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	var told struct {
		Pods []struct {
			PodRef     struct{ Namespace string }
			Containers []struct {
				Name   string
				CPU    struct{ UsageCoreNanoSeconds float64 }
				Memory struct{ WorkingSetBytes float64 }
			}
		}
	}
	output := c.Kubectl("get", "--raw", "/api/v1/nodes/"+node+"/proxy/stats/summary")
	if err := json.Unmarshal([]byte(output), &told); err != nil {
		t.Fatalf("%v: %s", err, harness.Tail(output, 10))
	}
	found := map[string][2]float64{}
	for _, pod := range told.Pods {
		for _, one := range pod.Containers {
			mib := one.Memory.WorkingSetBytes / (1 << 20)
			if (pod.PodRef.Namespace == system || one.Name == "bodyguard-proxy") && mib > found[one.Name][0] {
				found[one.Name] = [2]float64{mib, one.CPU.UsageCoreNanoSeconds / 1e9}
			}
		}
	}
	return found
}

// enough fails the test where a process of the control plane uses more memory than it asks for; it tells what all use.
func enough(t *testing.T, services ...string) {
	t.Helper()
	c := harness.Kube(t)
	all := map[string][2]float64{}
	harness.Eventually(t, 30*time.Second, "kubelet has looked at every container", func() bool {
		all = used(t, c)
		return !slices.ContainsFunc(services, func(service string) bool { return all[service][0] == 0 })
	})
	said := []string{}
	for name, one := range all {
		said = append(said, fmt.Sprintf("%s: %.0f MiB, %.1f s of CPU", name, one[0], one[1]))
	}
	sort.Strings(said)
	t.Log(strings.Join(said, "; "))
	for _, service := range services {
		request := c.Get(system, "deployment/bodyguard-"+service, ".spec.template.spec.containers[0].resources.requests.memory")
		var mib float64
		if _, err := fmt.Sscanf(request, "%fMi", &mib); err != nil {
			t.Errorf("%s asks for %s of memory: %v", service, request, err)
		}
		if mib < all[service][0] {
			t.Errorf("%s asks for %s and uses %.0f MiB", service, request, all[service][0])
		}
	}
}
