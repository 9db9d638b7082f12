package http1

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

func TestMain(m *testing.M) { Main(m) }

// Two apps, of HTTP and of bytes, by two ways each: by a service through two sidecars, between which all HTTP is HTTP/2,
// and by an entry straight from the caller's.
const documents = `
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{name: http, port: 80, targetPort: %[1]d}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: straight}
spec:
  hosts: [straight.example]
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: %[1]d}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: v1
kind: Service
metadata: {name: bytes}
spec: {ports: [{name: tcp, port: 9000, targetPort: %[2]d}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: straight-bytes}
spec:
  hosts: [straight-bytes.example]
  ports: [{number: 9000, name: tcp, protocol: TCP, targetPort: %[2]d}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec:
  hosts: [app]
  http:
    - match: [{uri: {prefix: /brief}}]
      timeout: 1s
      route: [{destination: {host: app}}]
    - route: [{destination: {host: app}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: secret}
spec:
  selector: {matchLabels: {app: app}}
  action: DENY
  rules: [{to: [{operation: {methods: [GET], paths: [/secret]}}]}]
`

// mesh is a caller's sidecar, and where the apps are, each with its own. Whoever plays one listens while a case lasts.
type mesh struct {
	caller, callee *Workload
	app, bytes     string
}

// way is the names by which the apps are called, and how many sidecars are on the way.
type way struct {
	*mesh
	host, bytesHost string
	sidecars        int
}

// TestHttp1 runs every case on the same sidecars, one after the other, by both ways.
func TestHttp1(t *testing.T) {
	m := newMesh(t)
	for _, w := range []way{{m, "app", "bytes", 2}, {m, "straight.example", "straight-bytes.example", 1}} {
		t.Run(fmt.Sprintf("sidecars_%d", w.sidecars), func(t *testing.T) {
			varnishtest(t, w)
			t.Run("trailers", func(t *testing.T) { trailers(t, w) })
			t.Run("names_of_fields_as_they_were_written", func(t *testing.T) { namesAsWritten(t, w) })
			t.Run("client_that_goes_cancels", func(t *testing.T) { goneCancels(t, w) })
			t.Run("client_that_ends_its_side_cancels", func(t *testing.T) { halfClosedCancels(t, w) })
			t.Run("half_of_a_tunnel_ends_alone", func(t *testing.T) { halfOfATunnel(t, w) })
			t.Run("web_sockets", func(t *testing.T) { webSockets(t, w) })
			t.Run("web_sockets_that_their_server_ends", func(t *testing.T) { webSocketsWhereTheServerEnds(t, w) })
			t.Run("any_protocol_by_any_method", func(t *testing.T) { anyProtocol(t, w) })
			if w.sidecars == 2 {
				t.Run("upgrades_are_authorized", func(t *testing.T) { upgradesAreAuthorized(t, w) })
				t.Run("upgrades_have_the_routes_time", func(t *testing.T) { upgradesHaveTheRoutesTime(t, w) })
			}
		})
	}
}

func newMesh(t *testing.T) *mesh {
	t.Helper()
	m := NewMesh(t)
	app, opaque, own := FreePort(t), FreePort(t), FreePort(t)
	m.Write("apps.yaml", fmt.Sprintf(documents, app, opaque))
	made := &mesh{caller: m.Beside(own, "caller", "v1", "1"), app: at(app), bytes: at(opaque)}
	// A sidecar is ready once its app listens, and takes nothing back until a request finds nobody.
	for _, address := range []string{at(app), at(opaque), at(own)} {
		listener := listen(t, address)
		defer listener.Close()
		go answer(listener)
	}
	callees := []*Workload{m.Beside(app, "app", "v1", "1"), m.Beside(opaque, "bytes", "v1", "1")}
	made.callee = callees[0]
	for _, workload := range append(callees, made.caller) {
		workload.Ready(60 * time.Second)
	}
	for _, url := range []string{"http://app/", "http://straight.example/"} {
		Eventually(t, 20*time.Second, url+" is known", func() bool {
			response, err := made.caller.Through(1).Get(url)
			if err != nil {
				return false
			}
			response.Body.Close()
			return response.StatusCode == 200
		})
	}
	for _, host := range []string{"bytes", "straight-bytes.example"} {
		Eventually(t, 20*time.Second, host+" is known", func() bool { return echoes(made.caller.State.Outbound, host) })
	}
	return made
}

// echoes tells whether somebody answers to bytes that are no HTTP.
func echoes(outbound, host string) bool {
	connection, err := net.Dial("tcp", outbound)
	if err != nil {
		return false
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(connection, "CONNECT %[1]s:9000 HTTP/1.1\r\nHost: %[1]s:9000\r\n\r\n\x00", host)
	said, _ := io.ReadAll(connection)
	return bytes.Count(said, []byte("HTTP/1.1 200 ")) == 2
}

// answer says yes to whoever comes, once.
func answer(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = client.Read(make([]byte, 1<<10))
			_, _ = client.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
			client.Close()
		}()
	}
}

func at(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// listen takes connections until the test ends or the listener is closed.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}
