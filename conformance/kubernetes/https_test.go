package kubernetes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// What 443 means where the app itself speaks no TLS, and a client that trusts the certificate which it is shown. `local` is one
// for whom web is its own machine.
const webByHTTPS = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: web}
spec:
  workloadSelector: {labels: {app: web}}
  ingress:
  - port: {number: 443, protocol: HTTPS, name: https}
    defaultEndpoint: 127.0.0.1:8080
    tls: {mode: SIMPLE, credentialName: web-tls}
`

func trusting(name, aliases string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  terminationGracePeriodSeconds: 1
  hostAliases: [%s]
  volumes: [{name: trust, secret: {secretName: web-tls, items: [{key: tls.crt, path: ca.crt}]}}]
  containers:
  - name: app
    image: localhost/probe:1
    command: [/probe, serve, ":8080"]
    env: [{name: SSL_CERT_FILE, value: /trust/ca.crt}]
    volumeMounts: [{name: trust, mountPath: /trust}]
`, name, aliases)
}

// A Secret of type kubernetes.io/tls for web, its own authority.
func secret(t *testing.T, namespace string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// Java reads no certificate whose issuer is empty, and RFC 5280 (section 4.1.2.4) forbids them.
	template := &x509.Certificate{
		Subject:      pkix.Name{CommonName: "web"},
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"web", "web." + namespace}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	encoded := func(label string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: web-tls}
type: kubernetes.io/tls
data: {tls.crt: %s, tls.key: %s}
`, encoded("CERTIFICATE", certificate), encoded("PRIVATE KEY", private))
}

// https to an app that speaks no TLS, by a certificate from a Secret: for members, for strangers, and by 127.0.0.1.
func https(t *testing.T) {
	c := harness.Kube(t)
	namespace, plain := c.Namespace("istio-injection=enabled"), c.Namespace()
	credential := secret(t, namespace)
	c.Apply(plain, credential+"---"+trusting("stranger", ""))
	c.Apply(namespace, credential+"---"+server("web", "", "bodyguard.dev/certificates: web-tls")+"---"+webByHTTPS+"---"+
		trusting("client", "")+"---"+trusting("local", `{ip: 127.0.0.1, hostnames: [web]}`))
	for _, pod := range []string{"web", "client", "local"} {
		c.Wait(namespace, "pod/"+pod, "condition=Ready", time.Minute)
	}
	c.Wait(plain, "pod/stranger", "condition=Ready", time.Minute)
	for _, one := range []struct{ who, namespace, pod, url string }{
		{"a member", namespace, "client", "https://web/"},
		{"who calls 127.0.0.1:443", namespace, "local", "https://web/"},
		{"who calls 127.0.0.1:80", namespace, "local", "http://web/"},
		{"a stranger", plain, "stranger", "https://web." + namespace + "/"},
	} {
		harness.Eventually(t, 20*time.Second, one.who+" is answered", func() bool {
			answer, err := probe(c, one.namespace, one.pod, one.url)
			return err == nil && strings.Contains(answer, "name=web")
		})
	}
}

// Probes and hooks by HTTPS and HTTP reach the app on a port that takes nobody without mutual TLS.
func probesAndHooks(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.Apply(namespace, `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict}
spec: {mtls: {mode: STRICT}}
---
apiVersion: v1
kind: Pod
metadata: {name: secure, labels: {app: secure}}
spec:
  terminationGracePeriodSeconds: 10
  containers:
  - name: app
    image: localhost/probe:1
    command: [/probe, servetls, ":8443", secure]
    ports: [{containerPort: 8443}]
    startupProbe: {httpGet: {scheme: HTTPS, path: "/ready?at=start", port: 8443}, periodSeconds: 1, failureThreshold: 30}
    readinessProbe: {httpGet: {scheme: HTTPS, path: "/is/ready?who=me", port: 8443}, periodSeconds: 1}
    livenessProbe: {tcpSocket: {port: 8443}, periodSeconds: 1, failureThreshold: 1}
    lifecycle:
      preStop: {httpGet: {scheme: HTTPS, path: "/stopping?why=told", port: 8443}}
  - name: hooked
    image: localhost/probe:1
    command: [/probe, serve, ":8080", hooked]
    ports: [{containerPort: 8080}]
    livenessProbe: {exec: {command: [/probe, get, "http://127.0.0.1:8080/exec"]}, periodSeconds: 1}
    lifecycle:
      preStop: {httpGet: {path: "/stopping?why=told", port: 8080}}
`)
	c.Wait(namespace, "pod/secure", "condition=Ready", time.Minute)
	logs := func(container string) string {
		return c.Logs(harness.Pod{Namespace: namespace, Name: "secure", Container: container})
	}
	harness.Eventually(t, 20*time.Second, "the probes ask the apps what their authors wrote", func() bool {
		return strings.Contains(logs("app"), "GET /is/ready?who=me ") && strings.Contains(logs("hooked"), "GET /exec ")
	})
	if restarts := c.Get(namespace, "pod/secure", ".status.containerStatuses[*].restartCount"); restarts != "0 0" {
		t.Errorf("restarts of the containers: %s", restarts)
	}
	said, err := c.Inside("", "bash", "-c", fmt.Sprintf(
		"timeout 60 kubectl -n %[1]s logs -f secure -c app & timeout 60 kubectl -n %[1]s logs -f secure -c hooked & "+
			"kubectl -n %[1]s delete pod secure --wait >/dev/null && wait", namespace))
	if got := strings.Count(said, "GET /stopping?why=told "); err != nil || got != 2 {
		t.Errorf("%v: %d of 2 apps were told to stop:\n%s", err, got, harness.Tail(said, 20))
	}
}
