package mainjob

import (
	"net/http"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// Whatever a mesh is called, those who join by its state folder are of its trust domain.
func TestSidecarsAreOfTheirMeshsTrustDomain(t *testing.T) {
	t.Parallel()
	m := NewMesh(t, "--trust-domain", "payments.example")
	payment := m.Join("payment-service", "v2", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)

	for _, workload := range []*Workload{payment, checkout} {
		want := "spiffe://payments.example/ns/default/sa/" + map[*Workload]string{payment: "payment-service", checkout: "checkout"}[workload]
		if workload.State.SpiffeID != want {
			t.Errorf("%s is %s, want %s", workload.Name, workload.State.SpiffeID, want)
		}
	}
	Eventually(t, 20*time.Second, "a payment is made", func() bool {
		status, _, err := checkout.Buy(Outside, http.MethodPost)
		return err == nil && status == http.StatusOK
	})
}
