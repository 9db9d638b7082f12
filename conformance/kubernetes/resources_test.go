package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// sidecar is what its container is called.
const sidecar = "bodyguard-proxy"

// used is what one of our containers uses, as kubelet says, and what its pod asks for it.
type used struct {
	Name, pod string
	// The working set in MiB, and the seconds of CPU since its start.
	mib, cpu float64
	asks     string
}

// uses are those of the control plane's containers and of the sidecars of pods that are there, the largest first.
func uses(t *testing.T, c harness.Cluster) []used {
	t.Helper()
	node := c.Kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	var told struct {
		Pods []struct {
			PodRef     struct{ Namespace, Name string }
			Containers []struct {
				Name   string
				CPU    struct{ UsageCoreNanoSeconds float64 }
				Memory struct{ WorkingSetBytes float64 }
			}
		}
	}
	understood(t, []byte(c.Kubectl("get", "--raw", "/api/v1/nodes/"+node+"/proxy/stats/summary")), &told)
	asked := requests(t, c)
	var found []used
	for _, pod := range told.Pods {
		name := pod.PodRef.Namespace + "/" + pod.PodRef.Name
		for _, one := range pod.Containers {
			asks, there := asked[name+"/"+one.Name]
			if there && (pod.PodRef.Namespace == system || one.Name == sidecar) {
				found = append(found, used{one.Name, name, one.Memory.WorkingSetBytes / (1 << 20), one.CPU.UsageCoreNanoSeconds / 1e9, asks})
			}
		}
	}
	slices.SortFunc(found, func(a, b used) int { return int(b.mib*1024 - a.mib*1024) })
	return found
}

// requests are what pods ask of memory: "namespace/pod/container" to a quantity.
func requests(t *testing.T, c harness.Cluster) map[string]string {
	t.Helper()
	type container struct {
		Name      string
		Resources struct{ Requests struct{ Memory string } }
	}
	var pods struct {
		Items []struct {
			Metadata struct{ Namespace, Name string }
			Spec     struct{ InitContainers, Containers []container }
		}
	}
	understood(t, []byte(c.Kubectl("get", "pods", "--all-namespaces", "-o", "json")), &pods)
	asked := map[string]string{}
	for _, pod := range pods.Items {
		for _, one := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			asked[pod.Metadata.Namespace+"/"+pod.Metadata.Name+"/"+one.Name] = one.Resources.Requests.Memory
		}
	}
	return asked
}

// enough fails the test where a process of the control plane, or a sidecar, uses more memory than its pod asks for; it tells what
// the largest of each use.
func enough(t *testing.T, services ...string) {
	t.Helper()
	c := harness.Kube(t)
	var all []used
	harness.Eventually(t, 30*time.Second, "kubelet has looked at every container", func() bool {
		all = uses(t, c)
		return !slices.ContainsFunc(append(slices.Clone(services), sidecar), func(name string) bool {
			return !slices.ContainsFunc(all, func(one used) bool { return one.Name == name && one.mib > 0 })
		})
	})
	largest := map[string]string{}
	for _, one := range all {
		if largest[one.Name] == "" {
			largest[one.Name] = fmt.Sprintf("%s: %.0f MiB of %s, %.1f s of CPU", one.Name, one.mib, one.asks, one.cpu)
		}
		var mib float64
		if _, err := fmt.Sscanf(one.asks, "%fMi", &mib); err != nil {
			t.Errorf("%s of %s asks for %q of memory: %v", one.Name, one.pod, one.asks, err)
		} else if mib < one.mib {
			t.Errorf("%s of %s asks for %s and uses %.0f MiB", one.Name, one.pod, one.asks, one.mib)
		}
	}
	said := []string{}
	for _, one := range largest {
		said = append(said, one)
	}
	slices.Sort(said)
	t.Log(strings.Join(said, "; "))
}

// What the control plane uses at the end of all that a test does, and two sidecars that have carried something.
func resources(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, server("web", "", "")+"---"+server("client", "", ""))
	c.Wait(namespace, "pod/web", "condition=Ready", time.Minute)
	c.Wait(namespace, "pod/client", "condition=Ready", time.Minute)
	harness.Eventually(t, 20*time.Second, "the client is answered", func() bool {
		_, err := c.Exec(harness.Pod{Namespace: namespace, Name: "client", Container: "app"}, "/probe", "get", "http://web/", "100")
		return err == nil
	})
	enough(t, services...)
}
