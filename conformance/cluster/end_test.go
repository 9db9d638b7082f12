package cluster

import (
	"testing"

	"dev.bodyguard/conformance/harness"
)

func TestItEndsAndLeavesNothing(t *testing.T) {
	harness.Kube(t)
	down(t)
}

func TestTheOtherProxyAndRuntime(t *testing.T) {
	up(t, "--proxy", "iptables", "--runtime", "runc")
	t.Run("services", servicesAreReachedByBothFamilies)
	t.Run("capture", captureBesideANativeSidecar)
	down(t)
}
