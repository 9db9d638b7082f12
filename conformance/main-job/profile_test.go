package mainjob

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "dev.bodyguard/conformance/harness"
)

// The launcher starts a sidecar's JVM by one of two profiles, maps what training left in both, and names the two where it is told of another.
func TestProfiles(t *testing.T) {
	for profile, tiers := range map[string]string{"": "1", "sidecar": "1", "gateway": "4"} {
		t.Run("profile="+profile, func(t *testing.T) {
			output, err := inProfile(profile, "BODYGUARD_JAVA_OPTS=-XX:+PrintFlagsFinal")
			if err != nil || !Compile(`TieredStopAtLevel += `+tiers+` `).MatchString(output) {
				t.Errorf("%v, and the JIT does not stop at tier %s:\n%s", err, tiers, Tail(output, 5))
			}
		})
	}
	t.Run("the cache is mapped", func(t *testing.T) {
		loaded := filepath.Join(t.TempDir(), "loaded")
		if output, err := inProfile("gateway", "BODYGUARD_JAVA_OPTS=-Xlog:class+load:file="+loaded); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		classes, err := os.ReadFile(loaded)
		if err != nil || !Compile(`dev\.bodyguard\.proxy\.sidecar\.Main source: shared objects file`).Match(classes) {
			t.Errorf("%v, and the sidecar's Main comes from elsewhere:\n%s", err, Tail(string(classes), 5))
		}
	})
	t.Run("another", func(t *testing.T) {
		output, err := inProfile("../run")
		if want := "bodyguard: BODYGUARD_PROFILE must be sidecar or gateway, was '../run'.\n"; err == nil || output != want {
			t.Errorf("%v and %q, not %q", err, output, want)
		}
	})
}

// What a sidecar that only tells its usage says in a profile.
func inProfile(profile string, environment ...string) (string, error) {
	sidecar := exec.Command(filepath.Join(Root, "bodyguard"), "sidecar", "--help")
	sidecar.Env = append(append(os.Environ(), "BODYGUARD_PROFILE="+profile), environment...)
	output, err := sidecar.CombinedOutput()
	return string(output), err
}
