package capture

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

const (
	service4 = "10.96.0.10"
	service6 = "fd96::10"
	jvm      = 90 * time.Second
)

// What a cluster would tell of the pod, in the words that a machine has for it.
const entries = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: payment-service, namespace: default}
spec:
  hosts: [payment-service.default.svc.cluster.local]
  addresses: [%[3]s, "%[4]s"]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - {number: 80, name: http, protocol: HTTP, targetPort: 8080}
    - {number: 81, name: http-loopback, protocol: HTTP, targetPort: 8081}
    - {number: 82, name: http-loopback6, protocol: HTTP, targetPort: 8082}
    - {number: 83, name: http-slow, protocol: HTTP, targetPort: 8083}
    - {number: 84, name: http-undeclared, protocol: HTTP, targetPort: 8084}
    - {number: 5432, name: tcp-ledger, protocol: TCP, targetPort: 5432}
  endpoints:
    - address: %[1]s
      serviceAccount: payment-service
      labels: {app: payment-service, version: v1, security.istio.io/tlsMode: istio}
`

// Cluster is a control plane on the node.
type Cluster struct {
	t     *testing.T
	net   *Network
	state string
}

// NewCluster starts identity, discovery and config where every pod reaches them.
func NewCluster(t *testing.T, network *Network, yaml string, settings ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t, net: network, state: filepath.Join(t.TempDir(), "state")}
	documents := filepath.Join(t.TempDir(), "mesh")
	if err := os.Mkdir(documents, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(documents, "mesh.yaml"), []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	environment := append([]string{"BODYGUARD_HOST=10.77.0.1", "BODYGUARD_STATE=" + c.state, "BODYGUARD_FILES=" + documents,
		"BODYGUARD_IDENTITY=10.77.0.1:15013", "BODYGUARD_DISCOVERY=10.77.0.1:15014"}, settings...)
	for _, service := range []string{"identity", "discovery", "config"} {
		process := harness.StartWith(t, service, environment, network.Node().Command(product(), "service", service)...)
		process.Says("bodyguard service "+service+": ready", jvm)
	}
	return c
}

func product() string { return filepath.Join(harness.Root, "bodyguard") }

// Injected is a pod with rules and a sidecar.
type Injected struct {
	*Pod
	Sidecar *harness.Process
}

// Inject does to a pod what an injector does, for a service account; the pod's app declares the ports.
func (c *Cluster) Inject(pod *Pod, account, ports, mode string, settings ...string) *Injected {
	t := c.t
	t.Helper()
	if _, complained, err := pod.Capture("", "CAPTURE_MODE="+mode); err != nil {
		t.Fatal(complained)
	}
	folder, err := os.MkdirTemp("", "bodyguard-pod") // t.TempDir() is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	token, err := exec.Command(product(), "token", account, "--state", c.state).Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(c.state, "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	must(os.Chmod(folder, 0o755))
	must(os.WriteFile(filepath.Join(folder, "token"), token, 0o444))
	must(os.WriteFile(filepath.Join(folder, "root.pem"), root, 0o444))
	must(os.WriteFile(filepath.Join(folder, "labels"), []byte("app=\""+account+"\"\nversion=\"v1\"\n"), 0o444))
	must(os.Mkdir(filepath.Join(folder, "state"), 0o700))
	user := []string{"setpriv", "--reuid", "1337", "--regid", "1337", "--clear-groups", "--bounding-set", "-all", "--no-new-privs"}
	if mode == "TPROXY" {
		user = []string{"setpriv", "--regid", "1337", "--clear-groups", "--bounding-set", "-all,+net_admin", "--no-new-privs"}
	}
	must(os.Chown(filepath.Join(folder, "state"), 1337, 1337))
	if mode == "TPROXY" {
		must(os.Chown(filepath.Join(folder, "state"), 0, 1337))
	}
	environment := append([]string{
		"POD_NAME=" + account + "-1", "POD_NAMESPACE=default", "POD_IPS=" + pod.V4 + "," + pod.V6, "SERVICE_ACCOUNT=" + account,
		"BODYGUARD_IDENTITY=10.77.0.1:15013", "BODYGUARD_CONFIG=10.77.0.1:15012", "BODYGUARD_STATE=" + filepath.Join(folder, "state"),
		"BODYGUARD_TOKEN=" + filepath.Join(folder, "token"), "BODYGUARD_ROOT=" + filepath.Join(folder, "root.pem"),
		"BODYGUARD_PODINFO=" + folder, "BODYGUARD_APP_PORTS=" + ports, "BODYGUARD_CAPTURE=" + mode}, settings...)
	sidecar := harness.StartWith(t, "sidecar of "+account, environment, pod.Command(append(user, product(), "sidecar")...)...)
	harness.Eventually(t, jvm, account+" is ready", func() bool {
		return strings.HasPrefix(c.net.Node().Gets("0:0", "http://"+at(pod.V4, 15021)+"/healthz/ready", ""), "200")
	})
	return &Injected{Pod: pod, Sidecar: sidecar}
}

// Counts is the sum of a sidecar's series of requests that have all of the given labels.
func (i *Injected) Counts(labels ...string) int {
	i.t.Helper()
	sum := 0
	for _, line := range strings.Split(i.Gets(sidecar, "http://127.0.0.1:15000/metrics", ""), "\n") {
		if !strings.HasPrefix(line, "istio_requests_total{") {
			continue
		}
		all := true
		for _, label := range labels {
			all = all && strings.Contains(line, label)
		}
		if all {
			value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			if err != nil {
				i.t.Fatal(err)
			}
			sum += int(value)
		}
	}
	return sum
}

// Pays starts the sample's payment-service as the app's user.
func (p *Pod) Pays(address string, flags ...string) {
	p.t.Helper()
	command := []string{"setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
		filepath.Join(harness.Apps, "payment-service"), "--addr", address, "--version", "v1"}
	harness.Start(p.t, "payment-service at "+address, p.Command(append(command, flags...)...)...)
	harness.Eventually(p.t, patience, "payment-service listens at "+address, func() bool {
		return strings.HasPrefix(p.Gets(app, "http://"+address+"/stats", ""), "200")
	})
}

// reaches waits until the pod's sidecar was told of payment-service, for which no single request waits as long as a busy
// machine may take.
func (p *Pod) reaches(service string) {
	p.t.Helper()
	harness.Eventually(p.t, patience, "payment-service is known in "+p.Namespace, func() bool {
		return strings.HasPrefix(p.Gets(app, "http://payment-service/pay", at(service, 80)), "200\n")
	})
}

func TestPods(t *testing.T) {
	network := NewNetwork(t)
	a, b, outside := network.Pod(), network.Pod(), network.Pod()
	cluster := NewCluster(t, network, fmt.Sprintf(entries, a.V4, a.V6, service4, service6))
	payment := cluster.Inject(a, "payment-service", "8080,8081,8082,8083,5432", "REDIRECT",
		`BODYGUARD_PROBES={"/app-health/web/readyz":{"httpGet":{"path":"/stats","port":8080}},`+
			`"/app-health/web/livez":{"tcpSocket":{"port":8081},"timeoutSeconds":2},`+
			`"/app-health/gone/readyz":{"tcpSocket":{"port":9999}}}`,
		"BODYGUARD_APP_METRICS=http://127.0.0.1:8081/stats")
	cluster.Inject(b, "checkout", "", "REDIRECT")
	must(os.Chmod(harness.Apps, 0o755))
	a.Pays(at(a.V4, 8080))
	a.Pays("127.0.0.1:8081")
	a.Pays("[::1]:8082")
	a.Pays("[::]:8084")
	a.Pays("127.0.0.1:8085")
	a.Serves(app, "ledger@[::]:5432", "app@[::]:6060")
	network.Node().Serves(app, "node@[::]:9000")

	b.reaches(service4)

	calls := []struct {
		name         string
		from         *Pod
		url, address string
	}{
		{"by name", b, "http://payment-service/pay", at(service4, 80)},
		{"by name, over IPv6", b, "http://payment-service/pay", at(service6, 80)},
		{"by the service's address", b, "http://" + service4 + "/pay", ""},
		{"by the service's IPv6 address", b, "http://[" + service6 + "]/pay", ""},
		{"by loopback", b, "http://payment-service/pay", "127.0.0.1:80"},
		{"by IPv6 loopback", b, "http://payment-service/pay", "[::1]:80"},
		{"to an app on loopback only", b, "http://payment-service:81/pay", at(service4, 81)},
		{"to an app on IPv6 loopback only", b, "http://payment-service:82/pay", at(service4, 82)},
		{"to a port that the pod does not declare", b, "http://payment-service:84/pay", at(service4, 84)},
		{"of the app to its own service", a, "http://payment-service/pay", at(service4, 80)},
	}
	for _, call := range calls {
		t.Run("a call "+call.name+" is mutual TLS", func(t *testing.T) {
			before := payment.Counts(`reporter="destination"`, `connection_security_policy="mutual_tls"`, `response_code="200"`)

			if got := call.from.Gets(app, call.url, call.address); !strings.HasPrefix(got, "200\n") || !strings.Contains(got, "v1") {
				t.Fatalf("got %s", got)
			}

			after := payment.Counts(`reporter="destination"`, `connection_security_policy="mutual_tls"`, `response_code="200"`)
			if after != before+1 {
				t.Errorf("%d calls over mutual TLS before, %d after", before, after)
			}
		})
	}

	t.Run("a server that speaks first is heard, through both sidecars", func(t *testing.T) {
		began := time.Now()
		heard := b.Hears(app, "", at(service4, 5432))
		if heard != "ledger "+at(a.V4, 5432)+" 127.0.0.6" {
			t.Errorf("heard %q", heard)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("that took %v", took)
		}
	})
	t.Run("strangers are reached where they were called", func(t *testing.T) {
		if heard := b.Hears(app, "", "10.77.0.1:9000"); heard != "node 10.77.0.1:9000 "+b.V4 {
			t.Errorf("heard %q", heard)
		}
	})
	t.Run("strangers who speak HTTP are too, whatever they are called", func(t *testing.T) {
		outside.Pays(at(outside.V4, 8080))
		if got := b.Gets(app, "http://shop.example:8080/pay", at(outside.V4, 8080)); !strings.HasPrefix(got, "200\n") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("plaintext from outside of the mesh is refused, with a line", func(t *testing.T) {
		if got := outside.Gets(app, "http://"+at(a.V4, 8080)+"/pay", ""); !strings.HasPrefix(got, "failed:") {
			t.Errorf("got %s", got)
		}
		payment.Sidecar.Says(`refused plaintext from `+regexp.QuoteMeta(outside.V4)+`:\d+ \(NR filter_chain_not_found\): plaintext HTTP/1 \(GET\)`, patience)
	})
	t.Run("so is plaintext to a port that nobody declares, by whatever address", func(t *testing.T) {
		for _, address := range []string{a.V4, a.V6} {
			if got := outside.Gets(app, "http://"+at(address, 8084)+"/pay", ""); !strings.HasPrefix(got, "failed:") {
				t.Errorf("got %s", got)
			}
		}
		if heard := outside.Hears(app, "", at(a.V4, 6060)); heard != "" && !strings.HasPrefix(heard, "failed:") {
			t.Errorf("heard %q", heard)
		}
	})
	t.Run("the captured ports take nobody who calls themselves", func(t *testing.T) {
		for _, port := range []int{15001, 15006} {
			if heard := outside.Hears(app, "", at(a.V4, port)); heard != "" && !strings.HasPrefix(heard, "failed:") {
				t.Errorf("heard %q", heard)
			}
			payment.Sidecar.Says(fmt.Sprintf("it was meant for this proxy's own port %d", port), patience)
		}
	})
	pages := []struct{ url, expected string }{
		{":15020/app-health/web/readyz", "200\nthe app answered 200"},
		{":15020/app-health/web/livez", "503\nthe app cannot be asked"}, // it listens on loopback only
		{":15020/app-health/gone/readyz", "503\nthe app cannot be asked"},
		{":15020/metrics", "bodyguard_app_metrics_up 1"},
		{":15090/stats/prometheus", "istio_requests_total{"},
		{":15021/healthz/ready", "200\nready"},
	}
	for _, page := range pages {
		t.Run("the node is answered "+page.url, func(t *testing.T) {
			got := network.Node().Gets("0:0", "http://"+a.V4+page.url, "")
			if !strings.Contains(got, page.expected) {
				t.Errorf("got %s", got)
			}
		})
	}
	t.Run("nobody outside of the pod reads its configuration", func(t *testing.T) {
		if got := network.Node().Gets("0:0", "http://"+at(a.V4, 15000)+"/config", ""); !strings.HasPrefix(got, "failed:") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("what is under way when it is told to end is answered", func(t *testing.T) {
		a.Pays(at(a.V4, 8083), "--delay", "2s")
		slow := make(chan string)
		go func() { slow <- b.Gets(app, "http://payment-service:83/pay", at(service4, 83)) }()
		harness.Eventually(t, patience, "the request is at the app", func() bool {
			return strings.Contains(a.Gets(app, "http://"+at(a.V4, 8083)+"/stats", ""), `"active":1`)
		})

		must(payment.Sidecar.Cmd.Process.Signal(syscall.SIGTERM))

		if got := <-slow; !strings.HasPrefix(got, "200\n") {
			t.Errorf("got %s", got)
		}
		harness.Eventually(t, 30*time.Second, "the sidecar ends", func() bool { return !payment.Sidecar.Alive() })
	})
}

func TestPermissivePodsByTproxy(t *testing.T) {
	network := NewNetwork(t)
	a, b, outside := network.Pod(), network.Pod(), network.Pod()
	cluster := NewCluster(t, network, fmt.Sprintf(entries, a.V4, a.V6, service4, service6), "BODYGUARD_PEER_TLS=PERMISSIVE")
	payment := cluster.Inject(a, "payment-service", "8080,5432", "TPROXY")
	cluster.Inject(b, "checkout", "", "REDIRECT")
	must(os.Chmod(harness.Apps, 0o755))
	a.Pays("[::]:8080")
	a.Pays("[::]:8084")
	a.Pays("127.0.0.1:8085")
	a.Serves(app, "ledger@[::]:5432", "undeclared@[::]:6060")

	counted := func(policy string) int {
		return payment.Counts(`reporter="destination"`, `connection_security_policy="`+policy+`"`, `response_code="200"`)
	}
	for _, address := range []string{a.V4, a.V6} {
		t.Run("who has no sidecar is answered at "+address, func(t *testing.T) {
			before := counted("none")
			if got := outside.Gets(app, "http://"+at(address, 8080)+"/pay", ""); !strings.HasPrefix(got, "200\n") {
				t.Fatalf("got %s", got)
			}
			if after := counted("none"); after != before+1 {
				t.Errorf("%d plaintext calls before, %d after", before, after)
			}
		})
	}
	t.Run("a port that nobody declares is open to the same callers", func(t *testing.T) {
		if got := outside.Gets(app, "http://"+at(a.V4, 8084)+"/pay", ""); !strings.HasPrefix(got, "200\n") {
			t.Errorf("got %s", got)
		}
		if heard := outside.Hears(app, "", at(a.V4, 6060)); heard != "undeclared "+at(a.V4, 6060)+" 127.0.0.6" {
			t.Errorf("heard %q", heard)
		}
	})
	t.Run("what listens on loopback only, undeclared, is reached by nobody else", func(t *testing.T) {
		got := outside.Gets(app, "http://"+at(a.V4, 8085)+"/pay", "")
		if !strings.HasPrefix(got, "503\n") || !strings.Contains(got, "the application does not listen on "+at(a.V4, 8085)) {
			t.Errorf("got %s", got)
		}
	})
	t.Run("who has no sidecar hears a server that speaks first", func(t *testing.T) {
		if heard := outside.Hears(app, "", at(a.V4, 5432)); heard != "ledger "+at(a.V4, 5432)+" 127.0.0.6" {
			t.Errorf("heard %q", heard)
		}
	})
	a.reaches(service4)
	b.reaches(service4)
	for _, call := range []struct {
		name string
		from *Pod
	}{{"a sidecar", b}, {"the pod itself", a}} {
		t.Run("who has one is still spoken to by mutual TLS: "+call.name, func(t *testing.T) {
			before := counted("mutual_tls")
			if got := call.from.Gets(app, "http://payment-service/pay", at(service4, 80)); !strings.HasPrefix(got, "200\n") {
				t.Fatalf("got %s", got)
			}
			if after := counted("mutual_tls"); after != before+1 {
				t.Errorf("%d calls over mutual TLS before, %d after", before, after)
			}
		})
	}
}

// What 443 means, where the app itself speaks no TLS.
const ingress = `---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: payment-service, namespace: default}
spec:
  workloadSelector: {labels: {app: payment-service}}
  ingress:
    - port: {number: 443, protocol: HTTPS, name: https}
      defaultEndpoint: 127.0.0.1:8080
      tls: {mode: SIMPLE, credentialName: payment-tls}
`

// certificate writes one for payment-service as a mounted Secret has it, which is its own authority.
func certificate(folder, organization string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{Organization: []string{organization}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"payment-service"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	sec1, err := x509.MarshalECPrivateKey(key)
	must(err)
	write := func(name, label string, bytes []byte) {
		file := filepath.Join(folder, name)
		must(os.WriteFile(file+".new", pem.EncodeToMemory(&pem.Block{Type: label, Bytes: bytes}), 0o444))
		must(os.Rename(file+".new", file))
	}
	write("tls.crt", "CERTIFICATE", der)
	write("tls.key", "EC PRIVATE KEY", sec1)
}

func TestIngress(t *testing.T) {
	for _, mode := range []string{"PERMISSIVE", "STRICT"} {
		t.Run(mode, func(t *testing.T) { ingressBy(t, mode) })
	}
}

func ingressBy(t *testing.T, mode string) {
	network := NewNetwork(t)
	a, b, outside := network.Pod(), network.Pod(), network.Pod()
	yaml := strings.Replace(entries, "  endpoints:", "    - {number: 443, name: https, protocol: TLS, targetPort: 443}\n  endpoints:", 1)
	cluster := NewCluster(t, network, fmt.Sprintf(yaml, a.V4, a.V6, service4, service6)+ingress, "BODYGUARD_PEER_TLS="+mode)
	secrets, err := os.MkdirTemp("", "bodyguard-certificates") // t.TempDir() is root's alone
	must(err)
	t.Cleanup(func() { _ = os.RemoveAll(secrets) })
	folder := filepath.Join(secrets, "payment-tls")
	must(os.Mkdir(folder, 0o755))
	must(os.Chmod(secrets, 0o755))
	certificate(folder, "first")
	t.Setenv(authorityVariable, filepath.Join(folder, "tls.crt"))
	payment := cluster.Inject(a, "payment-service", "8080", "REDIRECT", "BODYGUARD_CERTIFICATES="+secrets)
	cluster.Inject(b, "checkout", "", "REDIRECT")
	must(os.Chmod(harness.Apps, 0o755))
	a.Pays("127.0.0.1:8080")
	b.reaches(service4)

	expect := func(t *testing.T, pod *Pod, url, address, policy string) {
		t.Helper()
		before := payment.Counts(`reporter="destination"`, `connection_security_policy="`+policy+`"`, `response_code="200"`)
		if got := pod.Gets(app, url, address); !strings.HasPrefix(got, "200\n") || !strings.Contains(got, "v1") {
			t.Fatalf("got %s", got)
		}
		after := payment.Counts(`reporter="destination"`, `connection_security_policy="`+policy+`"`, `response_code="200"`)
		if after != before+1 {
			t.Errorf("%d calls before, %d after", before, after)
		}
	}
	t.Run("https of a meshed client reaches the plaintext app, inside of mutual TLS", func(t *testing.T) {
		expect(t, b, "https://payment-service/pay", at(service4, 443), "mutual_tls")
	})
	t.Run("an app that calls 127.0.0.1:443 reaches whoever its TLS is for", func(t *testing.T) {
		expect(t, b, "https://payment-service/pay", "127.0.0.1:443", "mutual_tls")
		expect(t, b, "https://payment-service/pay", "[::1]:443", "mutual_tls")
		if got := b.Gets(app, "https://nobody.invalid/pay", "127.0.0.1:443"); !strings.HasPrefix(got, "failed:") {
			t.Errorf("TLS for nobody: got %s", got)
		}
	})
	if mode == "STRICT" {
		t.Run("https of anybody else does not", func(t *testing.T) {
			if got := outside.Gets(app, "https://payment-service/pay", at(a.V4, 443)); !strings.HasPrefix(got, "failed:") {
				t.Errorf("got %s", got)
			}
		})
		return
	}
	t.Run("https of anybody else reaches it too", func(t *testing.T) {
		expect(t, outside, "https://payment-service/pay", at(a.V4, 443), "none")
		expect(t, outside, "https://payment-service/pay", at(a.V6, 443), "none")
	})
	t.Run("plaintext to the same port is refused, with a line", func(t *testing.T) {
		if got := outside.Gets(app, "http://payment-service/pay", at(a.V4, 443)); !strings.HasPrefix(got, "failed:") {
			t.Errorf("got %s", got)
		}
		payment.Sidecar.Says(`on a port whose TLS ends here`, patience)
	})
	t.Run("80 means the app", func(t *testing.T) {
		expect(t, outside, "http://payment-service/pay", at(a.V4, 80), "none")
	})
	t.Run("a certificate that was renewed is used soon", func(t *testing.T) {
		certificate(folder, "second")
		harness.Eventually(t, 30*time.Second, "the new certificate is shown", func() bool {
			return strings.HasPrefix(outside.Gets(app, "https://payment-service/pay", at(a.V4, 443)), "200\n")
		})
	})
}
