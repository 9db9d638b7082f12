package harness

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// Apart is a mesh whose control plane is four processes, by the name of their service.
type Apart struct {
	*Mesh
	Services map[string]*Process
	ready    map[string]string
}

// NewMeshApart starts each service of the control plane in a process of its own, on the sample's YAML, with further
// environment variables for all of them.
func NewMeshApart(t *testing.T, environment ...string) *Apart {
	t.Helper()
	folder := t.TempDir()
	a := &Apart{
		Mesh:     &Mesh{T: t, State: filepath.Join(folder, "identity"), YAML: filepath.Join(folder, "mesh")},
		Services: map[string]*Process{},
		ready:    map[string]string{},
	}
	if err := os.Mkdir(a.YAML, 0o755); err != nil {
		t.Fatal(err)
	}
	a.Write("payments.yaml", SampleYAML(t))

	start := func(service string, own ...string) {
		all := append(own, environment...)
		for _, port := range []string{"IDENTITY", "DISCOVERY", "XDS", "TELEMETRY", "OTLP", "ADMIN"} {
			all = append(all, "BODYGUARD_"+port+"_PORT=0")
		}
		p := StartWith(t, service, all, filepath.Join(Root, "bodyguard"), "service", service)
		a.Services[service] = p
		a.ready[service] = p.Says(`bodyguard service `+service+`: ready: .*`, 60*time.Second)
	}
	// What an operator carries from identity's folder to another machine's.
	stateOf := func(service string) string {
		state := filepath.Join(folder, service)
		for _, file := range []string{"root.pem", "join/" + service + ".bodyguard-system.token"} {
			content, err := os.ReadFile(filepath.Join(a.State, file))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(state, file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(state, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return "BODYGUARD_STATE=" + state
	}

	start("identity", "BODYGUARD_STATE="+a.State)
	identity := "BODYGUARD_IDENTITY=" + a.At("identity", "identity")
	start("discovery", identity, "BODYGUARD_FILES="+a.YAML, stateOf("discovery"))
	start("config", identity, "BODYGUARD_DISCOVERY="+a.At("discovery", "discovery"), stateOf("config"))
	start("telemetry", identity, stateOf("telemetry"))
	addresses, err := json.Marshal(map[string]any{
		"pid":       a.Services["config"].Cmd.Process.Pid,
		"identity":  a.At("identity", "identity"),
		"discovery": a.At("discovery", "discovery"),
		"xds":       a.At("config", "xds"),
		"telemetry": a.At("telemetry", "telemetry"),
		"otlp":      a.At("telemetry", "otlp"),
		"admin":     a.At("config", "admin"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.State, "control-plane.json"), addresses, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// At is an address of a service, as it told it when it was ready.
func (a *Apart) At(service, what string) string {
	a.T.Helper()
	found := regexp.MustCompile(`\b` + what + ` (127\.0\.0\.1:\d+)`).FindStringSubmatch(a.ready[service])
	if found == nil {
		a.T.Fatalf("%s does not say where its %s is: %s", service, what, a.ready[service])
	}
	return found[1]
}
