package h2spec

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// fetchIdentity keeps a service's certificate in files while the test runs, and returns their folder.
func fetchIdentity(t *testing.T, m *Mesh, service string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "svid")
	fetching := Start(t, "identity fetch", filepath.Join(Root, "bodyguard"),
		"identity", "fetch", "--state", m.State, "--service", service, "--out", out)
	fetching.Says(`spiffe://cluster.local/ns/default/sa/`+service+` until .* in `, 30*time.Second)
	return out
}

// tunnel takes connections in plaintext and takes each on to a sidecar by mutual TLS, as a peer that speaks HTTP/2. What
// either side ends ends for the other. It returns its port.
func tunnel(t *testing.T, to, svid string) int {
	t.Helper()
	own, err := tls.LoadX509KeyPair(filepath.Join(svid, "cert.pem"), filepath.Join(svid, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := os.ReadFile(filepath.Join(svid, "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	config := &tls.Config{
		Certificates: []tls.Certificate{own}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS13,
		// A SPIFFE certificate is nobody's by host name: the chain is what counts.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				between.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			return err
		},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go carry(client, to, config)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func carry(client net.Conn, to string, config *tls.Config) {
	defer client.Close()
	sidecar, err := tls.Dial("tcp", to, config)
	if err != nil {
		return
	}
	defer sidecar.Close()
	go func() {
		_, _ = io.Copy(sidecar, client)
		sidecar.Close()
	}()
	_, _ = io.Copy(client, sidecar)
}
