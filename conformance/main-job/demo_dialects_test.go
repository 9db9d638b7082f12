package mainjob

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "dev.bodyguard/conformance/harness"
)

// The demo tells its story in other words too: by the files of that dialect, which give v2 all and v1 nothing.
func TestDemoInOtherWords(t *testing.T) {
	t.Parallel()
	for dialect, kind := range map[string]string{"linkerd": "kind: TrafficSplit\n", "gateway": "kind: HTTPRoute\n"} {
		t.Run(dialect, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			demo := exec.Command(filepath.Join(Root, "bodyguard"), "demo", "--dialect", dialect, "--requests", "300", "--json", "--state", state)
			var stderr bytes.Buffer
			demo.Stderr = &stderr
			said, err := demo.Output()
			t.Log(string(said))
			if err != nil {
				t.Fatalf("%v\n%s", err, Tail(stderr.String(), 40))
			}

			var result struct {
				Requests, Succeeded int64
				ByVersion           map[string]int64
				MtlsShare           float64
			}
			if err := json.Unmarshal(said, &result); err != nil {
				t.Fatal(err)
			}
			if result.Requests != 300 || result.Succeeded != 300 || result.MtlsShare != 1 || !maps.Equal(result.ByVersion, map[string]int64{"v2": 300}) {
				t.Errorf("not what the dialect's YAML makes: %+v", result)
			}
			rules, err := os.ReadFile(filepath.Join(state, "mesh/payments.yaml"))
			if err != nil || !bytes.Contains(rules, []byte(kind)) {
				t.Errorf("it ran without a %q: %v\n%s", kind, err, rules)
			}
		})
	}
}
