package xds

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

const grpcBackend = `
apiVersion: v1
kind: Service
metadata: {name: grpc-backend}
spec:
  ports: [{name: grpc, port: 50051, appProtocol: grpc}]
`

// Which version of the gRPC backend is called.
const grpcRoute = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: grpc-backend}
spec:
  host: grpc-backend
  trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: grpc-backend}
spec: {hosts: [grpc-backend], http: [{route: [{destination: {host: grpc-backend, subset: %s}}]}]}
`

// Hosts of another namespace, of which some are for everybody, and some for nobody else.
const elsewhere = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: open, namespace: elsewhere}
spec: {hosts: [open.example], exportTo: ["*"], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: hidden, namespace: elsewhere}
spec: {hosts: [hidden.example], exportTo: ["."], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: sticky, namespace: elsewhere}
spec:
  hosts: [sticky.example]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.2, locality: eu-1/a}, {address: 127.0.0.3, locality: eu-1/b}, {address: 127.0.0.4, locality: us-1/a}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: sticky, namespace: elsewhere}
spec:
  host: sticky.example
  trafficPolicy:
    outlierDetection: {consecutive5xxErrors: 3}
    loadBalancer:
      consistentHash: {httpCookie: {name: lb, ttl: 1h, path: /, attributes: [{name: SameSite, value: Lax}]}, maglev: {tableSize: 1009}}
  subsets:
    - {name: ring, labels: {}, trafficPolicy: {loadBalancer: {consistentHash: {httpQueryParameterName: user, ringHash: {minimumRingSize: 64}}}}}
    - {name: shares, labels: {}, trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from: "*", to: {"eu-1/*": 80, us-1: 20}}]}}}}
    - {name: slow, labels: {}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 30s, aggression: 1.5}}}}
    - {name: slower, labels: {}, trafficPolicy: {loadBalancer: {warmupDurationSecs: 60s}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: seen, namespace: elsewhere}
spec: {hosts: [seen.example], exportTo: ["*"], http: [{route: [{destination: {host: open.example}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: unseen, namespace: elsewhere}
spec: {hosts: [unseen.example], exportTo: ["."], http: [{route: [{destination: {host: hidden.example}}]}]}
`

// All that checkout may see of this mesh: what whoever asks for everything is told, in either protocol, and no more.
var everything = []string{
	"cluster outbound|50051||grpc-backend.default.svc.cluster.local",
	"cluster outbound|80|ring|sticky.example",
	"cluster outbound|80|shares|sticky.example",
	"cluster outbound|80|slower|sticky.example",
	"cluster outbound|80|slow|sticky.example",
	"cluster outbound|80|v1|payment-service.default.svc.cluster.local",
	"cluster outbound|80|v2|payment-service.default.svc.cluster.local",
	"cluster outbound|80||open.example",
	"cluster outbound|80||payment-service.default.svc.cluster.local",
	"cluster outbound|80||sticky.example",
	"listener outbound",
	"outbound block_all",
	"outbound grpc-backend.default.svc.cluster.local:50051",
	"outbound open.example:80",
	"outbound payment-service.default.svc.cluster.local:80",
	"outbound seen.example:80",
	"outbound sticky.example:80",
}

// One mesh, into which clients come that nobody here wrote. Nobody plays checkout's sidecar but them.
func TestOutsiders(t *testing.T) {
	m := NewMesh(t)
	m.Write("grpc-backend.yaml", grpcBackend)
	m.Write("elsewhere.yaml", elsewhere)
	svid := fetchIdentity(t, m, "checkout", "20s")
	first := read(t, svid, "cert.pem")
	v1 := m.Launch("payment-service", "v1", "a", nil)
	v2 := m.Launch("payment-service", "v2", "b", nil, "--fail-every", "3")
	backends := backends{launchBackend(t, m, "v1"), launchBackend(t, m, "v2")}
	v1.Ready(60 * time.Second)
	v2.Ready(60 * time.Second)

	t.Run("EnvoyDelta", func(t *testing.T) { envoyJoins(t, m, svid, "DELTA_GRPC", v2) })
	t.Run("EnvoyStateOfTheWorld", func(t *testing.T) { envoyJoins(t, m, svid, "GRPC", v2) })
	for _, backend := range backends {
		backend.Ready(60 * time.Second)
	}
	t.Run("ProxylessGrpcGo", func(t *testing.T) { grpcJoins(t, m, svid, backends, inGo()...) })
	t.Run("ProxylessGrpcJava", func(t *testing.T) { grpcJoins(t, m, svid, backends, inJava()...) })
	t.Run("PlaintextIsRefused", func(t *testing.T) {
		before := v1.Stats().Requests + v2.Stats().Requests
		for _, w := range append([]*Workload{v1, v2}, backends...) {
			plaintextIsRefused(t, w)
		}
		if n := v1.Stats().Requests + v2.Stats().Requests - before; n != 0 {
			t.Errorf("%d requests reached an app", n)
		}
	})
	t.Run("ProxylessGrpcIntoAPermissivePort", func(t *testing.T) {
		m.Write("permissive.yaml", "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default}\nspec: {mtls: {mode: PERMISSIVE}}\n")
		Eventually(t, 20*time.Second, "plaintext is let in", func() bool {
			for _, backend := range backends {
				response, err := Outside.Get("http://" + backend.State.Inbound + "/")
				if err != nil {
					return false
				}
				response.Body.Close()
			}
			return true
		})
		grpcJoins(t, m, svid, backends, inGo()...)
		if err := os.Remove(filepath.Join(m.YAML, "permissive.yaml")); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("FilesAreRenewed", func(t *testing.T) { filesAreRenewed(t, svid, first) })
	t.Run("NoResourceWasRefused", func(t *testing.T) { noResourceWasRefused(t, m) })
	t.Run("LargeExpressionsAreTaken", func(t *testing.T) { largeExpressionsAreTaken(t, m, svid) })
	t.Run("WhatEnvoyRefusesIsTold", func(t *testing.T) { whatEnvoyRefusesIsTold(t, m, svid) })
	t.Run("AnEnvoyThatIsGoneIsTold", func(t *testing.T) { anEnvoyThatIsGoneIsTold(t, m, svid) })
	t.Run("AnImpostorIsNotAsked", func(t *testing.T) { impostorIsNotAsked(t, m, svid) })
}

const target = "xds:///grpc-backend:50051"

func inGo() []string {
	return []string{filepath.Join(os.Getenv("CACHE"), "client"), "--target", target}
}

func inJava() []string {
	classes := filepath.Join(os.Getenv("CACHE"), "java")
	return []string{
		filepath.Join(os.Getenv("JAVA"), "java"), "-XX:TieredStopAtLevel=1",
		"-cp", filepath.Join(classes, "classes") + ":" + filepath.Join(classes, "lib", "*"), "Client", target,
	}
}

// fetchIdentity keeps a service's certificate in files while the test runs, and returns their folder.
func fetchIdentity(t *testing.T, m *Mesh, service, ttl string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "svid")
	fetching := Start(t, "identity fetch", filepath.Join(Root, "bodyguard"),
		"identity", "fetch", "--state", m.State, "--service", service, "--out", out, "--ttl", ttl)
	fetching.Says(`spiffe://cluster.local/ns/default/sa/`+service+` until .* in `, 30*time.Second)
	return out
}

// launchBackend starts gRPC's own interop server beside a sidecar.
func launchBackend(t *testing.T, m *Mesh, version string) *Workload {
	t.Helper()
	port := strconv.Itoa(FreePort(t))
	w := &Workload{Name: "grpc-backend-" + version, App: "127.0.0.1:" + port}
	w.Process = Start(t, w.Name, filepath.Join(Root, "bodyguard"), "sidecar", "--state", m.State,
		"--service", "grpc-backend", "--version", version, "--name", w.Name, "--app-port", port,
		"--", filepath.Join(os.Getenv("CACHE"), "server"), "--port", port)
	w.Tells(m)
	return w
}

// The part of the bootstrap that lets Envoy take large regular expressions.
const runtime = `layered_runtime:
  layers:
    - name: static
      static_layer: {re2.max_program_size.error_level: 32768}
`

// launchEnvoy starts Envoy as checkout's sidecar with the app beside it, and waits until that reaches v2. Parts of the
// documented bootstrap may be left out.
func launchEnvoy(t *testing.T, m *Mesh, svid, apiType string, without ...string) (envoy *Process, app, outbound, admin string) {
	t.Helper()
	app, outbound, admin = freeAddress(t), freeAddress(t), freeAddress(t)
	file := filepath.Join(t.TempDir(), "envoy.yaml")
	values := map[string]string{
		"/run/checkout": svid, "127.0.0.1:15001": outbound, "port_value: 15000": "port_value: " + port(admin),
		"port_value: 15012": "port_value: " + port(plane(t, m, "xds")), "api_type: DELTA_GRPC": "api_type: " + apiType,
	}
	for _, part := range without {
		values[part] = ""
	}
	bootstrap := bootstrap(t, "yaml", values)
	if err := os.WriteFile(file, []byte(bootstrap), 0o600); err != nil {
		t.Fatal(err)
	}
	envoy = Start(t, "envoy", os.Getenv("ENVOY"), "-c", file, "--use-dynamic-base-id", "--concurrency", "1", "-l", "warn")
	Start(t, "checkout", "env", "HTTP_PROXY=http://"+outbound, "http_proxy=http://"+outbound, filepath.Join(Apps, "checkout"), "--addr", app)
	Eventually(t, 20*time.Second, "checkout reaches v2 through Envoy", func() bool {
		if !envoy.Alive() {
			t.Fatalf("Envoy ended: %s", envoy.Output())
		}
		return pay(app) == "200 v2"
	})
	return envoy, app, outbound, admin
}

func envoyJoins(t *testing.T, m *Mesh, svid, apiType string, v2 *Workload) {
	_, app, outbound, admin := launchEnvoy(t, m, svid, apiType)

	principal := []string{`reporter="destination"`, `source_principal="spiffe://cluster.local/ns/default/sa/checkout"`}
	secured := append(principal, `connection_security_policy="mutual_tls"`, `source_workload="checkout-1"`, `response_code="200"`)
	failed, before := v2.Stats().Failed, v2.Metric("istio_requests_total", secured...)
	for i := range 60 {
		if got := pay(app); got != "200 v2" {
			t.Fatalf("GET %d: %s", i, got)
		}
	}
	if more := v2.Stats().Failed - failed; more < 20 {
		t.Errorf("v2 failed only %d of its answers, so nothing was shown of retries", more)
	}
	if n := v2.Metric("istio_requests_total", secured...) - before; n < 60 {
		t.Errorf("the sidecar counted %v requests of checkout by mutual TLS:\n%s", n, grep(v2.MetricsText(), "istio_requests_total"))
	}
	if status, body := get(t, "http://"+outbound+"/", "nobody.example"); status != 502 {
		t.Errorf("a host that the mesh does not know: %d %s", status, body)
	}

	// A payment that failed is not made twice, since only its author could say that it may be.
	received := v2.Stats().ByMethod["POST"]
	posts := map[int]int{}
	for range 30 {
		response, err := Outside.Post("http://"+app+"/pay", "text/plain", strings.NewReader("10 EUR"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		posts[response.StatusCode]++
	}
	if more := v2.Stats().ByMethod["POST"] - received; more != 30 || posts[200] != 20 || posts[503] != 10 {
		t.Errorf("v2 received %d POSTs and callers saw %v, want 30, of which every third failed", more, posts)
	}

	// An edit is followed, and back.
	m.Write("payments.yaml", m.Split(100, 0))
	Eventually(t, 10*time.Second, "Envoy follows to v1", func() bool { return pay(app) == "200 v1" })
	m.Write("payments.yaml", SampleYAML(t))
	Eventually(t, 10*time.Second, "Envoy follows back to v2", func() bool { return pay(app) == "200 v2" })
	// A cluster that comes, changes and goes under an Envoy that runs.
	entry := "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: grpc-backend}\nspec: {host: payment-service, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 7s}}}}\n"
	m.Write("tuning.yaml", entry)
	Eventually(t, 10*time.Second, "the cluster has its new timeout", func() bool {
		return strings.Contains(dump(t, admin), `"connect_timeout": "7s"`)
	})
	for i := range 30 {
		if got := pay(app); got != "200 v2" {
			t.Fatalf("GET %d after the cluster changed: %s", i, got)
		}
	}
	if err := os.Remove(filepath.Join(m.YAML, "tuning.yaml")); err != nil {
		t.Fatal(err)
	}

	config := dump(t, admin)
	if told := told(t, config); !slices.Equal(told, everything) {
		t.Errorf("Envoy was told\n\t%s\nwant\n\t%s", strings.Join(told, "\n\t"), strings.Join(everything, "\n\t"))
	}
	if strings.Contains(config, `"error_state"`) {
		t.Errorf("Envoy refused something: %s", grep(config, "details"))
	}
	taken(t, admin)
	served(t, m, "envoy", "checkout-1", "Cluster", "ClusterLoadAssignment", "Listener", "RouteConfiguration")
}

// told is the name of everything in Envoy's configuration that came by xDS, in order.
func told(t *testing.T, config string) []string {
	t.Helper()
	var dump struct {
		Configs []struct {
			Listeners []struct{ Name string } `json:"dynamic_listeners"`
			Clusters  []struct {
				Cluster struct{ Name string }
			} `json:"dynamic_active_clusters"`
			Warming []any `json:"dynamic_warming_clusters"`
			Routes  []struct {
				Config struct {
					Name  string
					Hosts []struct{ Name string } `json:"virtual_hosts"`
				} `json:"route_config"`
			} `json:"dynamic_route_configs"`
		}
	}
	if err := json.Unmarshal([]byte(config), &dump); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, part := range dump.Configs {
		for _, listener := range part.Listeners {
			names = append(names, "listener "+listener.Name)
		}
		for _, cluster := range part.Clusters {
			names = append(names, "cluster "+cluster.Cluster.Name)
		}
		if len(part.Warming) > 0 {
			t.Errorf("Envoy still waits for what %d clusters need", len(part.Warming))
		}
		for _, routes := range part.Routes {
			for _, host := range routes.Config.Hosts {
				names = append(names, routes.Config.Name+" "+host.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// A stock Envoy takes no expression that RE2 compiles to more than 100 instructions.
const tooLarge = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: large}
spec:
  hosts: [large.example]
  http:
    - match: [{uri: {regex: "/\\pL{20}"}}]
      route: [{destination: {host: payment-service, subset: v2}}]
`

// An Envoy with the documented bootstrap takes the same expression, and it means there what it says.
func largeExpressionsAreTaken(t *testing.T, m *Mesh, svid string) {
	_, app, outbound, admin := launchEnvoy(t, m, svid, "DELTA_GRPC")
	m.Write("large.yaml", tooLarge)
	asked := func(path string) int {
		status, _ := get(t, "http://"+outbound+path, "large.example")
		return status
	}
	letters := func(n int) string { return "/" + strings.Repeat("x", n) }
	Eventually(t, 10*time.Second, "Envoy routes by the expression", func() bool { return asked(letters(20)) == 200 })
	for _, path := range []string{letters(19), letters(21), "/" + strings.Repeat("1", 20)} {
		if got := asked(path); got != 404 {
			t.Errorf("%s: %d, want 404", path, got)
		}
	}
	if got := pay(app); got != "200 v2" {
		t.Errorf("what was in force before is no more: %s", got)
	}
	taken(t, admin)
	served(t, m, "envoy", "checkout-1", "Cluster", "ClusterLoadAssignment", "Listener", "RouteConfiguration")
	if err := os.Remove(filepath.Join(m.YAML, "large.yaml")); err != nil {
		t.Fatal(err)
	}
	Eventually(t, 10*time.Second, "Envoy follows back", func() bool { return asked(letters(20)) == 502 })
}

// A document that config takes, and an Envoy does not, is a problem of that Envoy, until its author thinks of another one.
func whatEnvoyRefusesIsTold(t *testing.T, m *Mesh, svid string) {
	_, app, _, _ := launchEnvoy(t, m, svid, "DELTA_GRPC", runtime)
	well := `(?m)^envoy +checkout-1 +yes +yes +came with one until [-0-9T:]+Z +none$`
	ill := `(?m)^envoy +checkout-1 +yes +NO +came with one until [-0-9T:]+Z +it refused outbound: .*RE2 program size .*$`
	says := func(expression string) {
		t.Helper()
		Eventually(t, 10*time.Second, "status says "+expression, func() bool { return Compile(expression).MatchString(m.Status()) })
		t.Log(Compile(expression).FindString(m.Status()))
	}
	says(well)
	if output, err := m.Asked("check"); err != nil {
		t.Errorf("check finds something wrong: %v\n%s", err, output)
	}

	m.Write("large.yaml", tooLarge)
	says(ill)
	if got := pay(app); got != "200 v2" {
		t.Errorf("what was in force before is no more: %s", got)
	}
	output, err := m.Asked("check")
	failed := Compile(`(?m)^FAIL  envoy checkout-1 has all that the control plane sent in force: it refused outbound: .*$`).FindString(output)
	if err == nil || failed == "" {
		t.Errorf("check does not name it: %v\n%s", err, output)
	}
	t.Log(failed)

	if err := os.Remove(filepath.Join(m.YAML, "large.yaml")); err != nil {
		t.Fatal(err)
	}
	says(well)
}

// An Envoy that was killed has left no word: status and check tell that it is gone, since when, and until when they will.
// Its next life is the same node, and ends that.
func anEnvoyThatIsGoneIsTold(t *testing.T, m *Mesh, svid string) {
	envoy, _, _, _ := launchEnvoy(t, m, svid, "DELTA_GRPC")
	envoy.Kill()
	gone := `not connected since [-0-9T:]+Z \(the client is gone.*\); start it again, .* forgotten at [-0-9T:]+Z$`
	row := Compile(`(?m)^envoy +checkout-1 +NO +NO +came with one until [-0-9T:]+Z +` + gone)
	Eventually(t, 10*time.Second, "status says "+row.String(), func() bool { return row.MatchString(m.Status()) })
	t.Log(row.FindString(m.Status()))
	output, err := m.Asked("check")
	warned := Compile(`(?m)^WARN  envoy checkout-1 is connected: ` + gone).FindString(output)
	if err != nil || warned == "" || !strings.Contains(output, "all is well, 1 warning") {
		t.Errorf("check does not warn of it: %v\n%s", err, output)
	}
	t.Log(warned)

	launchEnvoy(t, m, svid, "DELTA_GRPC")
	if said := m.Status(); strings.Contains(said, "not connected") || strings.Count(said, "checkout-1") != 1 {
		t.Errorf("it is there again, and status says\n%s", said)
	}
	Eventually(t, 5*time.Second, "check finds nothing", func() bool {
		output, err := m.Asked("check")
		return err == nil && !strings.Contains(output, "WARN")
	})
}

// A service with one instance, which nobody but its author has registered.
const vault = `
apiVersion: v1
kind: Service
metadata: {name: vault}
spec: {selector: {app: vault}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vault}
spec:
  address: 127.0.0.1
  ports: {http: %s}
  serviceAccount: vault
  labels: {app: vault, security.istio.io/tlsMode: istio}
`

// Whoever listens where a service does is asked nothing by Envoy unless it shows that service's account: another member of
// the mesh does not do.
func impostorIsNotAsked(t *testing.T, m *Mesh, svid string) {
	address := freeAddress(t)
	m.Write("vault.yaml", fmt.Sprintf(vault, port(address)))
	own, others := fetchIdentity(t, m, "vault", "5m"), fetchIdentity(t, m, "grpc-backend", "5m")
	_, _, outbound, admin := launchEnvoy(t, m, svid, "DELTA_GRPC")
	ask := func() int {
		status, _ := get(t, "http://"+outbound+"/", "vault")
		return status
	}
	refused := func() int {
		_, stats := get(t, "http://"+admin+"/stats?filter=vault.*fail_verify_san", "")
		n, _ := strconv.Atoi(strings.TrimSpace(stats[strings.LastIndexByte(stats, ' ')+1:]))
		return n
	}

	honest := serve(t, address, own)
	Eventually(t, 10*time.Second, "the vault is asked", func() bool { return ask() == 200 })
	if n := refused(); n != 0 {
		t.Errorf("Envoy refused the vault itself %d times", n)
	}
	honest.Close()

	impostor := serve(t, address, others)
	for range 10 {
		if got := ask(); got != 503 {
			t.Errorf("an impostor in the vault's place: %d, want 503", got)
		}
	}
	if n := impostor.asked.Load(); n != 0 {
		t.Errorf("%d requests reached the impostor", n)
	}
	if n := refused(); n == 0 {
		t.Error("Envoy says of no connection that the other side's name was not the vault's")
	} else {
		t.Logf("Envoy refused %d connections for the name that the other side showed", n)
	}
	impostor.Close()

	serve(t, address, own)
	Eventually(t, 10*time.Second, "the vault is asked again", func() bool { return ask() == 200 })
	if err := os.Remove(filepath.Join(m.YAML, "vault.yaml")); err != nil {
		t.Fatal(err)
	}
}

// member is a server of HTTP/2 by mutual TLS that counts what it is asked.
type member struct {
	http.Server
	asked atomic.Int64
}

// serve listens there with the certificate of a folder.
func serve(t *testing.T, address, svid string) *member {
	t.Helper()
	m := &member{}
	m.TLSConfig = &tls.Config{ClientAuth: tls.RequireAnyClientCert, NextProtos: []string{"h2"}}
	m.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail Envoy's statistics tell
	m.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.asked.Add(1)
		fmt.Fprintln(w, "ok")
	})
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = m.ServeTLS(listener, filepath.Join(svid, "cert.pem"), filepath.Join(svid, "key.pem")) }()
	t.Cleanup(func() { m.Close() })
	return m
}

// taken asks Envoy whether it refused any update of any kind, and whether there were some of each.
func taken(t *testing.T, admin string) {
	t.Helper()
	_, stats := get(t, "http://"+admin+"/stats?filter=update_(rejected|success)", "")
	updates := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(stats), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("a line of Envoy's statistics: %q", line)
		}
		if strings.HasSuffix(name, "update_rejected") && n > 0 {
			t.Errorf("Envoy refused %d updates: %s", n, name)
		}
		for _, kind := range []string{"cds.", "lds.", "rds.", "sds.default.", "sds.ROOTCA.", "cluster.outbound|80|v2|"} {
			if strings.Contains(name, kind) && strings.HasSuffix(name, "update_success") {
				updates[kind] += n
			}
		}
	}
	for _, kind := range []string{"cds.", "lds.", "rds.", "sds.default.", "sds.ROOTCA.", "cluster.outbound|80|v2|"} {
		if updates[kind] == 0 {
			t.Errorf("Envoy took no update of %s*:\n%s", kind, stats)
		}
	}
}

// backends are gRPC servers, one for each version.
type backends []*Workload

// calls is how many calls of gRPC came to them, of those with the labels.
func (b backends) calls(labels ...string) float64 {
	n := 0.0
	for _, one := range b {
		n += one.Metric("istio_requests_total", append(labels, `reporter="destination"`, `request_protocol="grpc"`)...)
	}
	return n
}

func grpcJoins(t *testing.T, m *Mesh, svid string, servers backends, command ...string) {
	secured := []string{
		`source_principal="spiffe://cluster.local/ns/default/sa/checkout"`, `connection_security_policy="mutual_tls"`,
	}
	before, securedBefore := servers.calls(), servers.calls(secured...)
	client := launchClient(t, m, svid, command...)
	client.says("unary")
	client.says("streaming")
	served(t, m, "grpc", "checkout-1", "Cluster", "ClusterLoadAssignment", "Listener")

	// An edit is followed, and back.
	for _, at := range []int{1, 0} {
		m.Write("grpc-route.yaml", fmt.Sprintf(grpcRoute, []string{"v1", "v2"}[at]))
		Eventually(t, 10*time.Second, "ten calls in a row reach "+servers[at].Name, func() bool {
			others := servers[1-at : 2-at].calls()
			for range 10 {
				client.callsAgain()
			}
			return servers[1-at:2-at].calls() == others
		})
	}
	if err := os.Remove(filepath.Join(m.YAML, "grpc-route.yaml")); err != nil {
		t.Fatal(err)
	}

	client.ends()
	all, safe := servers.calls()-before, servers.calls(secured...)-securedBefore
	if safe < 22 || safe != all {
		t.Errorf("of %v calls the sidecars counted %v of checkout by mutual TLS, want all, and 22 at least:\n%s", all, safe,
			grep(servers[0].MetricsText()+servers[1].MetricsText(), "istio_requests_total"))
	}
}

// client is a proxyless gRPC client. It runs until its input ends, and makes one more call for each line of it.
type client struct {
	*exec.Cmd
	t          *testing.T
	asked      io.WriteCloser
	said       *bufio.Scanner
	complaints bytes.Buffer
}

func launchClient(t *testing.T, m *Mesh, svid string, command ...string) *client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	bootstrap := bootstrap(t, "json", map[string]string{"/run/checkout": svid, "127.0.0.1:15012": plane(t, m, "xds"), `"10s"`: `"1s"`})
	if err := os.WriteFile(file, []byte(bootstrap), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &client{Cmd: exec.Command(command[0], command[1:]...), t: t}
	c.Env = append(os.Environ(), "GRPC_XDS_BOOTSTRAP="+file)
	c.Stderr = &c.complaints
	var err error
	if c.asked, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	said, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.said = bufio.NewScanner(said)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c
}

// says reads on to a line. A call that does not succeed within half a minute ends the client.
func (c *client) says(line string) {
	c.t.Helper()
	for c.said.Scan() {
		if c.said.Text() == line {
			return
		}
	}
	c.t.Fatalf("the client ended before it said %q: %v\n%s", line, c.Wait(), Tail(c.complaints.String(), 40))
}

func (c *client) callsAgain() {
	c.t.Helper()
	fmt.Fprintln(c.asked)
	c.says("again")
}

func (c *client) ends() {
	c.t.Helper()
	c.asked.Close()
	for c.said.Scan() {
	}
	if err := c.Wait(); err != nil {
		c.t.Fatalf("the client failed: %v\n%s", err, Tail(c.complaints.String(), 40))
	}
}

// plaintextIsRefused asserts that a sidecar hangs up on HTTP/1 and HTTP/2 without a word, and that its log says why.
func plaintextIsRefused(t *testing.T, w *Workload) {
	for looks, greeting := range map[string]string{
		`HTTP/1 \(GET\)`: "GET /pay HTTP/1.1\r\nHost: payment-service\r\n\r\n",
		"HTTP/2":         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	} {
		said := len(w.Output())
		connection, err := net.Dial("tcp", w.State.Inbound)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		fmt.Fprint(connection, greeting)
		_ = connection.SetReadDeadline(time.Now().Add(5 * time.Second))
		answer, err := io.ReadAll(connection)
		if len(answer) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s answered %q and did not hang up: %v", w.Name, answer, err)
		}
		reason := "(?m)^.*refused plaintext .*plaintext " + looks + ` on a port that accepts mutual TLS only \(STRICT\).*$`
		Eventually(t, 5*time.Second, w.Name+" says "+reason, func() bool {
			return Compile(reason).MatchString(w.Output()[said:])
		})
	}
}

// The certificate lives for 20 seconds, so by the end of the suite it was renewed, in every file.
func filesAreRenewed(t *testing.T, svid, first string) {
	Eventually(t, 30*time.Second, "cert.pem is renewed", func() bool { return read(t, svid, "cert.pem") != first })
	Eventually(t, 2*time.Second, "so is Envoy's secret", func() bool {
		return strings.Contains(strings.ReplaceAll(read(t, svid, "sds-default.yaml"), "  ", ""), read(t, svid, "cert.pem"))
	})
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func noResourceWasRefused(t *testing.T, m *Mesh) {
	_, metrics := get(t, "http://"+plane(t, m, "admin")+"/metrics", "")
	if refused := grep(metrics, "bodyguard_config_nacks"); refused != "" {
		t.Errorf("config was refused something:\n%s", refused)
	}
	for _, kind := range []string{"Listener", "RouteConfiguration", "Cluster", "ClusterLoadAssignment"} {
		if !regexp.MustCompile(`bodyguard_config_acks_total\{type="` + kind + `"\} [1-9]`).MatchString(metrics) {
			t.Errorf("nobody acknowledged a %s:\n%s", kind, grep(metrics, "bodyguard_config_acks"))
		}
	}
	if said := grep(m.Plane.Output(), "does not take"); said != "" {
		t.Errorf("config's log: %s", said)
	}
}

// served asserts that config has heard of the client, and status tells, that it took all it was offered: it has
// acknowledged each of the types, asked for no other one, and refused nothing since it came.
func served(t *testing.T, m *Mesh, kind, name string, types ...string) {
	t.Helper()
	type proxy struct {
		Node, Kind       string
		InForce, Settled bool
		Types            []struct {
			Type          string
			Acked, Nacked int
		}
		Refused []any
	}
	var found []proxy
	Eventually(t, 5*time.Second, name+" has all of it in force", func() bool {
		_, text := get(t, "http://"+plane(t, m, "admin")+"/proxies", "")
		var proxies []proxy
		if err := json.Unmarshal([]byte(text), &proxies); err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(proxies, func(one proxy) bool { return !strings.Contains(one.Node, "~"+name+".") })
		return len(found) == 1 && found[0].InForce && found[0].Settled && len(found[0].Refused) == 0
	})
	var acked []string
	for _, one := range found[0].Types {
		if one.Acked == 0 || one.Nacked > 0 {
			t.Errorf("%s answered %s with %d ACKs and %d NACKs", name, one.Type, one.Acked, one.Nacked)
		}
		acked = append(acked, one.Type[strings.LastIndexByte(one.Type, '.')+1:])
	}
	if found[0].Kind != kind || !slices.Equal(acked, types) {
		t.Errorf("%s is a %s that acknowledged %v, want a %s and %v", name, found[0].Kind, acked, kind, types)
	}
	if row := Compile(`(?m)^` + kind + ` +` + name + ` +yes +yes +came with one until [-0-9T:]+Z +none$`); !row.MatchString(m.Status()) {
		t.Errorf("status has no row %s:\n%s", row, m.Status())
	}
}

// bootstrap is the one in the documentation, with other values in the place of its examples.
func bootstrap(t *testing.T, language string, values map[string]string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(Root, "docs/outsiders.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)\n```").FindSubmatch(page)
	if found == nil {
		t.Fatalf("docs/outsiders.md has no bootstrap in %s", language)
	}
	text := string(found[1])
	for example, value := range values {
		if !strings.Contains(text, example) {
			t.Fatalf("the bootstrap in docs/outsiders.md has no %s", example)
		}
		text = strings.ReplaceAll(text, example, value)
	}
	return text
}

// plane is where one of the control plane's services listens.
func plane(t *testing.T, m *Mesh, service string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(m.State, "control-plane.json"))
	if err != nil {
		t.Fatal(err)
	}
	var addresses map[string]any
	if err := json.Unmarshal(content, &addresses); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(addresses[service])
}

// pay asks checkout, from outside the mesh, and returns the status and who took the payment.
func pay(app string) string {
	response, err := Outside.Get("http://" + app + "/pay")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	var receipt Receipt
	if err := json.NewDecoder(response.Body).Decode(&receipt); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", receipt.PaymentVersion, receipt.Error))
}

func get(t *testing.T, url, host string) (int, string) {
	t.Helper()
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := Outside.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func dump(t *testing.T, admin string) string {
	t.Helper()
	_, text := get(t, "http://"+admin+"/config_dump?include_eds", "")
	return text
}

func freeAddress(t *testing.T) string { return "127.0.0.1:" + strconv.Itoa(FreePort(t)) }

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

func grep(text, part string) string {
	var found []string
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, part) && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n")
}
