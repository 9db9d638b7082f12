package mainjob

import (
	"net"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A sidecar without a command is beside whatever has the app's port, the app of a sidecar that was killed included; from then on
// that app is nobody's to end, and one with a command says who has the port.
func TestAppOfAKilledSidecarIsAdopted(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	killed := m.Join("payment-service", "v2", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	_, port, err := net.SplitHostPort(killed.App)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}

	// Its app goes on, and holds what it writes to: there is no waiting for its end.
	if err := killed.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	adopting := m.Beside(number, "payment-service", "v2", "a")
	adopting.Ready(60 * time.Second)

	Eventually(t, 20*time.Second, "the app answers beside its new sidecar", func() bool {
		status, got, err := checkout.Buy(Outside, "GET")
		return err == nil && status == 200 && got.PaymentVersion == "v2"
	})
	if !adopting.Stop(20 * time.Second) {
		t.Fatal("the sidecar does not end")
	}
	line := Start(t, "one with a command", killed.Cmd.Args...).Says(`is in use by pid \d+ `, 20*time.Second)
	pid, err := strconv.Atoi(regexp.MustCompile(`pid (\d+) `).FindStringSubmatch(line)[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}
