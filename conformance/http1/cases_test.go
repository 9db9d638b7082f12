package http1

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "dev.bodyguard/conformance/harness"
)

// varnishtest runs each of its scripts in cases/, which play the client and the app.
func varnishtest(t *testing.T, w way) {
	t.Helper()
	scripts, err := filepath.Glob("cases/*.vtc")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".vtc"), func(t *testing.T) {
			output, err := exec.Command(os.Getenv("VARNISHTEST"), "-t", "10",
				"-D", "outbound="+w.caller.State.Outbound, "-D", "app="+w.app, "-D", "host="+w.host, script).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, Tail(string(output), 40))
			}
		})
	}
}
