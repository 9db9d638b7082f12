package xds

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A renewed certificate reaches programs that run. Once the first one has expired every sidecar that they call is another
// one, so all connections are new, and a program that had kept what it read at its start would be let in by none.
func TestRenewalReachesWhoRuns(t *testing.T) {
	m := NewMesh(t)
	m.Write("grpc-backend.yaml", grpcBackend)
	v2 := m.Join("payment-service", "v2", "a", nil)
	backend := launchBackend(t, m, "v1")
	backend.Ready(60 * time.Second)
	svid := fetchIdentity(t, m, "checkout", "30s")
	first := certificate(t, svid)
	_, app, _, admin := launchEnvoy(t, m, svid, "DELTA_GRPC")
	clients := []*client{launchClient(t, m, svid, inGo()...), launchClient(t, m, svid, inJava()...)}
	for _, client := range clients {
		client.says("streaming")
	}
	if !showsOnly(t, admin, first) {
		t.Fatal("they took so long to begin that they may not have begun with the first certificate")
	}

	time.Sleep(time.Until(first.NotAfter.Add(time.Second)))
	Eventually(t, 5*time.Second, "Envoy has the renewed certificate and no other", func() bool {
		now := certificate(t, svid)
		return now.NotAfter.After(first.NotAfter) && showsOnly(t, admin, now)
	})
	for _, w := range []*Workload{v2, backend} {
		w.Stop(15 * time.Second)
		w.Again(m)
		w.Ready(30 * time.Second)
	}

	Eventually(t, 20*time.Second, "Envoy connects again", func() bool { return pay(app) == "200 v2" })
	for i := range 30 {
		if got := pay(app); got != "200 v2" {
			t.Fatalf("GET %d: %s", i, got)
		}
	}
	for _, client := range clients {
		client.callsAgain()
		client.ends()
	}
}

// certificate is the one that the files hold now.
func certificate(t *testing.T, svid string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(read(t, svid, "cert.pem")))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// showsOnly says whether a certificate is the only one of a member that Envoy has, towards the control plane and peers.
func showsOnly(t *testing.T, admin string, wanted *x509.Certificate) bool {
	t.Helper()
	_, text := get(t, "http://"+admin+"/certs", "")
	var held struct {
		Certificates []struct {
			Chain []struct {
				Serial string `json:"serial_number"`
			} `json:"cert_chain"`
		}
	}
	if err := json.Unmarshal([]byte(text), &held); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, one := range held.Certificates {
		for _, shown := range one.Chain {
			if shown.Serial != fmt.Sprintf("%x", wanted.SerialNumber.Bytes()) {
				return false
			}
			n++
		}
	}
	return n > 0
}
