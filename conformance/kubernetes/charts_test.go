package kubernetes

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dev.bodyguard/conformance/harness"
)

var profiles = []string{"default", "demo", "minimal"}

// helm's answer; the test fails where it is a refusal.
func helm(t *testing.T, c harness.Cluster, arguments ...string) string {
	t.Helper()
	output, err := c.Inside("", append([]string{"helm"}, arguments...)...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func rendered(t *testing.T, c harness.Cluster, profile string, values ...string) string {
	t.Helper()
	command := []string{"template", "bodyguard", chart("bodyguard"), "--namespace", system, "--set", "profile=" + profile}
	for _, value := range values {
		command = append(command, "--set", value)
	}
	return helm(t, c, command...)
}

func TestChartsAreClean(t *testing.T) {
	c := harness.Kube(t)
	helm(t, c, "lint", "--strict", chart("bodyguard-crds"))
	for _, profile := range profiles {
		helm(t, c, "lint", "--strict", chart("bodyguard"), "--namespace", system, "--set", "profile="+profile)
	}
}

// GOLDEN=write conformance/run kubernetes writes what they render to.
func TestChartsRenderToTheirGoldens(t *testing.T) {
	c := harness.Kube(t)
	for _, profile := range profiles {
		now := rendered(t, c, profile)
		file := filepath.Join("golden", profile+".yaml")
		if os.Getenv("GOLDEN") == "write" {
			if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		before, after := strings.Split(read(t, file), "\n"), strings.Split(now, "\n")
		for i := range min(len(before), len(after)) {
			if before[i] != after[i] {
				t.Errorf("%s:%d: was %q, is %q; GOLDEN=write writes it anew", file, i+1, before[i], after[i])
				break
			}
		}
		if len(before) != len(after) {
			t.Errorf("%s has %d lines, and the chart renders to %d", file, len(before), len(after))
		}
	}
}

// Every process of the control plane, and nothing else.
func TestACollectorIsToldToEveryDeployment(t *testing.T) {
	c := harness.Kube(t)
	for _, profile := range profiles {
		if strings.Contains(rendered(t, c, profile), "OTEL_") {
			t.Errorf("profile %s traces though nobody asked for it", profile)
		}
		objects := strings.Split(rendered(t, c, profile,
			"tracing.otlp.endpoint=http://collector.observability:4318", "tracing.otlp.protocol=http/protobuf"), "\n---\n")
		for _, object := range objects {
			told := strings.Contains(object, `{name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://collector.observability:4318"}`) &&
				strings.Contains(object, `{name: OTEL_EXPORTER_OTLP_PROTOCOL, value: "http/protobuf"}`) &&
				strings.Contains(object, `value: "k8s.namespace.name=bodyguard-system,k8s.pod.name=$(POD_NAME)"`)
			if told != strings.Contains(object, "\nkind: Deployment\n") {
				t.Errorf("profile %s: told is %v: %s", profile, told, object)
			}
		}
	}
}

func TestAMisspeltValueIsRefused(t *testing.T) {
	c := harness.Kube(t)
	for value, complaint := range map[string]string{
		"identity.replica=2":          "replica",
		"discovery.replicas=2":        "at '/discovery/replicas': maximum",
		"telemetry.replicas=2":        "at '/telemetry/replicas': maximum",
		"controlPlane.mode=both":      "mode",
		"mesh.certificateTTL=forever": "certificateTTL",
		"mesh.certificateTTL=9s":      "mesh.certificateTTL: must be 10s or more, was 9s",
		"tracing.otlp.protocol=http":  "protocol",
		"tracing.sampling=101":        "at '/tracing/sampling'",
		"tracing.sampling=100.5":      "at '/tracing/sampling'",
		"tracing.sampling=some":       "at '/tracing/sampling'",
		"profile=large":               "must be one of 'default', 'demo', 'minimal'",

		"sidecar.resources.requests.memory=abc": "at '/sidecar/resources/requests/memory'",
		"sidecar.resources.limits.cpu=1c":       "at '/sidecar/resources/limits/cpu'",
		"config.resources.requests.memory=1GB":  "at '/config/resources/requests/memory'",
		"sidecar.resources.requests.memory=1Gi": "sidecar.resources: requests.memory=1Gi is more than limits.memory=320Mi allows",
		"injector.resources.limits.cpu=0.01":    "injector.resources: requests.cpu=20m is more than limits.cpu=0.01 allows",
	} {
		output, err := c.Inside("", "helm", "template", "bodyguard", chart("bodyguard"), "--namespace", system, "--set", value)
		if err == nil || !strings.Contains(output, complaint) {
			t.Errorf("--set %s: %v, and helm says %s", value, err, output)
		}
	}
}

// What --set makes a text of, too: of 0.5 it does.
func TestAQuantityAndAShareAreTakenAsTheyAreWritten(t *testing.T) {
	c := harness.Kube(t)
	for value, told := range map[string]string{
		"tracing.sampling=0.5":                   `{name: BODYGUARD_TRACE_SAMPLING, value: "0.5"}`,
		"tracing.sampling=100":                   `{name: BODYGUARD_TRACE_SAMPLING, value: "100"}`,
		"mesh.certificateTTL=10s":                `{name: BODYGUARD_TTL, value: "PT10S"}`,
		"sidecar.resources.requests.memory=.2Gi": `{name: BODYGUARD_SIDECAR_MEMORY, value: ".2Gi"}`,
		"sidecar.resources.limits.memory=1e9":    `{name: BODYGUARD_SIDECAR_MEMORY_LIMIT, value: "1e9"}`,
		"sidecar.resources.limits.cpu=1":         `{name: BODYGUARD_SIDECAR_CPU_LIMIT, value: "1"}`,
	} {
		if !strings.Contains(rendered(t, c, "default", value), told) {
			t.Errorf("--set %s does not render to %s", value, told)
		}
	}
}

func TestObjectsAreWhatKubernetesSchemasSay(t *testing.T) {
	c := harness.Kube(t)
	for _, profile := range profiles {
		file := filepath.Join(t.TempDir(), profile+".yaml")
		if err := os.WriteFile(file, []byte(rendered(t, c, profile)), 0o644); err != nil {
			t.Fatal(err)
		}
		if output, err := tool("", os.Getenv("KUBERNETES_VALIDATE"), "--strict", "--version", "1.34", file); err != nil {
			t.Errorf("profile %s: %v: %s", profile, err, output)
		}
	}
}

// What kube-score says and we do not follow, and why.
var ignored = map[string]string{
	"container-resources":                      "no CPU limit: it would only make requests wait while the machine is idle",
	"container-security-context-user-group-id": "1337, by which capture tells a sidecar, is below its 10000",
	"container-image-pull-policy":              "IfNotPresent: a version's images do not change, and a node must start them while the registry is away",
	"deployment-replicas":                      "one each unless the values say more: workloads go on without the control plane",
	"pod-networkpolicy":                        "egress stays open: a chart does not know the API server's address",
}

func TestChartsScoreWell(t *testing.T) {
	c := harness.Kube(t)
	needed := map[string]bool{}
	for _, profile := range profiles {
		output, _ := tool(rendered(t, c, profile), os.Getenv("KUBE_SCORE"), "score", "--output-format", "json", "-")
		var scored []struct {
			Name   string `json:"object_name"`
			Checks []struct {
				Check    struct{ ID string }
				Grade    int
				Skipped  bool
				Comments []struct{ Summary string }
			}
		}
		if err := json.Unmarshal([]byte(output), &scored); err != nil {
			t.Fatalf("profile %s: %v: %s", profile, err, output)
		}
		if len(scored) < 8 {
			t.Errorf("profile %s: kube-score tells of %d objects only", profile, len(scored))
		}
		for _, object := range scored {
			for _, check := range object.Checks {
				if check.Skipped || check.Grade >= 10 {
					continue
				}
				needed[check.Check.ID] = true
				if ignored[check.Check.ID] == "" {
					t.Errorf("profile %s: %s: %s: %v", profile, object.Name, check.Check.ID, check.Comments)
				}
			}
		}
	}
	for name := range ignored {
		if !needed[name] {
			t.Errorf("%s needs not be ignored any more", name)
		}
	}
}

func TestAnAPIServerTakesThemAll(t *testing.T) {
	c := harness.Kube(t)
	c.Kubectl("create", "namespace", system)
	defer c.Kubectl("delete", "namespace", system, "--wait")
	kinds := helm(t, c, "template", "bodyguard-crds", chart("bodyguard-crds"))
	objects := []string{kinds}
	for _, profile := range profiles {
		objects = append(objects, rendered(t, c, profile))
	}
	for i, yaml := range objects {
		output, err := c.Inside(yaml, "kubectl", "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
		if err != nil || strings.Contains(output, "Warning") {
			t.Errorf("%d: %v: %s", i, err, output)
		}
	}
}
