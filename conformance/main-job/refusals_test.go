package mainjob

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// Whoever cannot prove who they are is refused by the server's sidecar, and its log says why.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	late := m.Join("late", "v1", "a", []string{"--ttl", "10s"})
	expired := svid(t, m, late)
	late.Stop(10 * time.Second)
	payment := m.Join("payment-service", "v2", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	own := svid(t, m, checkout)

	if err := knock(payment, &own); err != nil {
		t.Errorf("checkout's own certificate is refused: %v", err)
	}
	time.Sleep(time.Until(expired.Leaf.NotAfter.Add(time.Second)))
	stranger := selfMade(t, "spiffe://other.example/ns/default/sa/checkout", nobodys)
	forged := selfMade(t, "spiffe://cluster.local/ns/default/sa/checkout", nobodys)

	// Java reads no certificate without an issuer.
	unreadable := selfMade(t, "spiffe://cluster.local/ns/default/sa/checkout", pkix.Name{})

	for _, refused := range []struct {
		name        string
		certificate *tls.Certificate
		reason      string
	}{
		{"no certificate", nil, `(?i)(?m)^.*no certificate.*$`},
		{"an expired certificate", &expired, `(?i)(?m)^.*expired.*$`},
		{"another trust domain", &stranger, `(?m)^.*other\.example.*$`},
		{"another authority's certificate in our name", &forged, `(?i)(?m)^.*(root|authority|issued|signed|trust).*$`},
		{"a certificate without an issuer", &unreadable, `(?m)^.*the peer's certificate cannot be read: .*issuer.*$`},
	} {
		t.Run(refused.name, func(t *testing.T) {
			said := len(payment.Output())
			if err := knock(payment, refused.certificate); err == nil {
				t.Error("it was let in")
			}
			Eventually(t, 5*time.Second, "the log says why", func() bool {
				return matches(payment.Output()[said:], refused.reason)
			})
			t.Log(strings.TrimSpace(payment.Output()[said:]))
		})
	}

	t.Run("TLS 1.2 at most", func(t *testing.T) {
		said := len(payment.Output())
		if connection, err := tls.Dial("tcp", payment.State.Inbound, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
			connection.Close()
			t.Error("it was let in")
		}
		Eventually(t, 5*time.Second, "the log says why", func() bool {
			return matches(payment.Output()[said:], `refused a connection from 127\.0\.0\.1:\d+ .*: it offers TLS 1\.2 at most, but the mesh speaks TLS 1\.3 only: `)
		})
		t.Log(strings.TrimSpace(payment.Output()[said:]))
	})

	for _, w := range []*Workload{payment, checkout} {
		t.Run("plaintext to "+w.Name, func(t *testing.T) {
			said := len(w.Output())
			connection, err := net.Dial("tcp", w.State.Inbound)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: payment-service\r\n\r\n")
			_ = connection.SetReadDeadline(time.Now().Add(5 * time.Second))
			if answer, err := io.ReadAll(connection); len(answer) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("it answered %q and did not hang up: %v", answer, err)
			}
			Eventually(t, 5*time.Second, "the log says why", func() bool {
				return matches(w.Output()[said:], `refused plaintext .* accepts mutual TLS only \(STRICT\)`)
			})
			t.Log(strings.TrimSpace(w.Output()[said:]))
		})
	}

	if n := payment.Stats().Requests; n != 0 {
		t.Errorf("%d requests reached the app", n)
	}
}

// A certificate in another service's name does not make a peer that service.
func TestAnotherServicesNameIsRefused(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	intruder := m.Join("intruder", "v1", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	// An operator's mistake, or a forged address: ledger's endpoint leads to the intruder.
	_, port, _ := net.SplitHostPort(intruder.State.Inbound)
	m.Write("ledger.yaml", fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ledger, namespace: default}
spec:
  hosts: [ledger.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - {number: 80, name: http, protocol: HTTP}
  endpoints:
    - address: 127.0.0.1
      ports: {http: %s}
      serviceAccount: ledger
      labels: {security.istio.io/tlsMode: istio}
`, port))

	client := checkout.Through(1)
	var status int
	Eventually(t, 10*time.Second, "checkout's sidecar knows ledger and refuses its peer", func() bool {
		response, err := client.Get("http://ledger.default.svc.cluster.local/")
		if err != nil {
			return false
		}
		response.Body.Close()
		status = response.StatusCode
		return status == 503 && matches(checkout.Output(), `"[^"]*sa/intruder[^"]*"`)
	})

	for _, line := range checkout.AccessLog() {
		if sentence, _ := line["sentence"].(string); strings.Contains(sentence, "sa/intruder") {
			t.Log(sentence)
			if !strings.Contains(sentence, "sa/ledger") {
				t.Errorf("the sentence does not say who was expected: %s", sentence)
			}
			return
		}
	}
	t.Error("no line of the access log names the peer that was refused")
}

// A join token is good for one service account.
func TestAnotherServicesTokenIsRefused(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	m.Join("checkout", "v1", "a", nil).Stop(10 * time.Second)
	token := filepath.Join(m.State, "join", "checkout.token")
	if info, err := os.Stat(token); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v %v, want mode 0600", info, err)
	}
	// What a thief can have: public files, and a token that is not theirs under the name that they want.
	stolen := t.TempDir()
	for from, to := range map[string]string{
		"root.pem": "root.pem", "control-plane.json": "control-plane.json",
		"join/checkout.token": "join/payment-service.token",
	} {
		content, err := os.ReadFile(filepath.Join(m.State, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(stolen, filepath.Dir(to)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(stolen, to), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	thief := Start(t, "thief", filepath.Join(Root, "bodyguard"), "sidecar", "--state", stolen,
		"--service", "payment-service", "--version", "v2", "--app-port", fmt.Sprint(FreePort(t)))

	t.Log(thief.Says(`(?m)^.*token.*not good for service account payment-service.*$`, 20*time.Second))
	if strings.Contains(thief.Output(), "now spiffe://") {
		t.Errorf("it got a certificate: %s", thief.Output())
	}
}

func matches(text, pattern string) bool { return Compile(pattern).MatchString(text) }

// svid is what a sidecar holds: its key and its chain.
func svid(t *testing.T, m *Mesh, w *Workload) tls.Certificate {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(m.State, "sidecars", w.Name, "svid.pem"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(pem, pem)
	if err != nil {
		t.Fatal(err)
	}
	certificate.Certificate = certificate.Certificate[:len(certificate.Certificate)-1] // without the root
	certificate.Leaf, err = x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

var nobodys = pkix.Name{CommonName: "nobody's root"}

// selfMade is a certificate by an authority that nobody in the mesh knows.
func selfMade(t *testing.T, id string, root pkix.Name) tls.Certificate {
	t.Helper()
	name, err := url.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: root,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), URIs: []*url.URL{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, &key.PublicKey, authorityKey)
	must(err)
	return tls.Certificate{Certificate: [][]byte{der, authorityDER}, PrivateKey: key}
}

// knock makes a TLS connection to an inbound port; it succeeds if the server goes on talking after the handshake.
func knock(w *Workload, certificate *tls.Certificate) error {
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}}
	if certificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	connection, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", w.State.Inbound, config)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetReadDeadline(time.Now().Add(5 * time.Second))
	// The server's SETTINGS frame comes only once it has accepted us: in TLS 1.3 the client is done before that.
	fmt.Fprint(connection, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	header := make([]byte, 9)
	_, err = io.ReadFull(connection, header)
	if err == nil && header[3] != 4 {
		err = fmt.Errorf("frame of type %d instead of SETTINGS", header[3])
	}
	return err
}
