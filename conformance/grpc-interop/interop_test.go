package grpcinterop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// What the apps call each other by; nothing but the mesh knows these names.
const (
	server = "grpc-server"
	nobody = "grpc-nobody"
	port   = 50051
)

// The mesh: one service with a backend, one without, and a route with a timeout for whoever asks for it.
const documents = `
apiVersion: v1
kind: Service
metadata: {name: grpc-server}
spec:
  ports: [{name: grpc, port: 50051, targetPort: %d}]
---
apiVersion: v1
kind: Service
metadata: {name: grpc-nobody}
spec:
  ports: [{name: grpc, port: 50051}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: grpc-vs}
spec:
  hosts: [grpc-server]
  http:
    - match: [{headers: {x-hurry: {exact: "yes"}}}]
      timeout: 300ms
      route: [{destination: {host: grpc-server}}]
    - route: [{destination: {host: grpc-server}}]
`

// Each of gRPC's standard cases with the gRPC status that the callee's sidecar must have seen, empty where the case
// may end before the callee hears of it.
var standard = []struct{ name, status string }{
	{"empty_unary", "0"},
	{"large_unary", "0"},
	{"client_streaming", "0"},
	{"server_streaming", "0"},
	{"ping_pong", "0"},
	{"empty_stream", "0"},
	{"timeout_on_sleeping_server", ""},
	{"cancel_after_begin", ""},
	{"cancel_after_first_response", "any"},
	{"status_code_and_message", "2"},
	{"special_status_message", "2"},
	{"custom_metadata", "0"},
	{"unimplemented_method", "12"},
	{"unimplemented_service", "12"},
}

func TestInterop(t *testing.T) {
	m := newPair(t)

	for _, c := range standard {
		t.Run(c.name, func(t *testing.T) {
			labels := []string{}
			if c.status != "any" {
				labels = append(labels, fmt.Sprintf(`grpc_response_status="%s"`, c.status))
			}
			before := m.seen(labels...)
			m.call(t, c.name)
			if c.status != "" {
				Eventually(t, 5*time.Second, "the callee's sidecar counts a gRPC request that came by mutual TLS, status "+c.status,
					func() bool { return m.seen(labels...) > before })
			}
		})
	}

	t.Run("eight_callers_at_once_on_one_connection", func(t *testing.T) {
		m.call(t, "rpc_soak", "--soak_iterations", "200", "--soak_num_threads", "8",
			"--soak_per_iteration_max_acceptable_latency_ms", "5000", "--soak_overall_timeout_seconds", "15")
	})

	// All that the app knows of the mesh is the environment that its sidecar gives it.
	t.Run("an_app_that_its_sidecar_has_started", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		sidecar := exec.CommandContext(ctx, filepath.Join(Root, "bodyguard"), "sidecar", "--state", m.state,
			"--service", "grpc-client", "--version", "v1", "--name", "grpc-client-2", "--app-port", strconv.Itoa(FreePort(t)),
			"--", filepath.Join(os.Getenv("INTEROP"), "client"),
			"--server_host", server, "--server_port", strconv.Itoa(port), "--test_case", "large_unary")
		sidecar.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HTTPS_PROXY=") })
		if output, err := sidecar.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, Tail(string(output), 40))
		}
	})

	t.Run("nothing_came_but_by_mutual_tls", func(t *testing.T) {
		if all, proven := int(m.server.Metric("istio_requests_total")), m.seen(); all != proven {
			t.Errorf("%d requests, %d of them by mutual TLS from grpc-client", all, proven)
		}
	})

	// The standard case gives up after a millisecond, mostly before its connection stands.
	t.Run("deadline_ends_what_the_callee_does", func(t *testing.T) {
		client := m.dial(t, server)
		warm(t, client)
		before := m.seen()
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := firstOf(ctx, client, 20*time.Second)
		expect(t, err, codes.DeadlineExceeded, "")
		// Whoever is first: the callee knows the deadline too.
		Eventually(t, 2*time.Second, "the callee's sidecar has ended the request", func() bool {
			return m.seen() == before+1
		})
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})

	t.Run("cancel_reaches_the_callee", func(t *testing.T) {
		client := m.dial(t, server)
		warm(t, client)
		before := m.seen()
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(200*time.Millisecond, cancel)
		_, err := firstOf(ctx, client, 20*time.Second)
		expect(t, err, codes.Canceled, "")
		Eventually(t, 2*time.Second, "the callee's sidecar has ended the request", func() bool {
			return m.seen() == before+1
		})
	})

	t.Run("timeout_of_a_route_is_deadline_exceeded", func(t *testing.T) {
		client := m.dial(t, server)
		ctx := metadata.AppendToOutgoingContext(patience(t), "x-hurry", "yes")
		_, err := firstOf(ctx, client, 20*time.Second)
		expect(t, err, codes.DeadlineExceeded, "300 ms")
	})

	t.Run("nobody_there_is_unavailable", func(t *testing.T) {
		_, err := m.dial(t, nobody).EmptyCall(patience(t), &testgrpc.Empty{})
		expect(t, err, codes.Unavailable, "endpoint")
	})
}

func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func warm(t *testing.T, client testgrpc.TestServiceClient) {
	t.Helper()
	if _, err := client.EmptyCall(patience(t), &testgrpc.Empty{}); err != nil {
		t.Fatal(err)
	}
}

// firstOf waits for the first answer of a stream whose server sleeps before it.
func firstOf(ctx context.Context, client testgrpc.TestServiceClient, sleep time.Duration) (any, error) {
	stream, err := client.StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{
		ResponseParameters: []*testgrpc.ResponseParameters{{Size: 1, IntervalUs: int32(sleep.Microseconds())}},
	})
	if err != nil {
		return nil, err
	}
	return stream.Recv()
}

func expect(t *testing.T, err error, code codes.Code, part string) {
	t.Helper()
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), part) {
		t.Fatalf("wanted %v with %q in its message, got %v", code, part, err)
	}
}

// pair is a caller's and a callee's sidecar.
type pair struct {
	state          string
	server, client *Workload
}

func newPair(t *testing.T) *pair {
	t.Helper()
	m := NewMesh(t)
	app := FreePort(t)
	m.Write("grpc.yaml", fmt.Sprintf(documents, app))
	// The caller is started case by case; till then this is it.
	caller, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { caller.Close() })
	p := &pair{
		state:  m.State,
		server: m.Beside(app, server, "v1", "1", "--", filepath.Join(os.Getenv("INTEROP"), "server"), "--port", strconv.Itoa(app)),
		client: m.Beside(caller.Addr().(*net.TCPAddr).Port, "grpc-client", "v1", "1"),
	}
	p.server.Ready(60 * time.Second)
	p.client.Ready(60 * time.Second)
	// What a sidecar gives its app. Go reads it once, so before anybody asks; loopback addresses are never proxied.
	os.Setenv("HTTPS_PROXY", "http://"+p.client.State.Outbound)
	os.Unsetenv("NO_PROXY")
	os.Unsetenv("no_proxy")
	return p
}

// call runs a case of the interop client, an app like any other: it has heard of a proxy and of no mesh.
func (p *pair) call(t *testing.T, name string, options ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client := exec.CommandContext(ctx, filepath.Join(os.Getenv("INTEROP"), "client"), append([]string{
		"--server_host", server, "--server_port", strconv.Itoa(port), "--test_case", name}, options...)...)
	client.Env = append(os.Environ(), "GRPC_GO_LOG_SEVERITY_LEVEL=info")
	if output, err := client.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, Tail(string(output), 30))
	}
}

func (p *pair) dial(t *testing.T, host string) testgrpc.TestServiceClient {
	t.Helper()
	connection, err := grpc.NewClient(fmt.Sprintf("%s:%d", host, port),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return testgrpc.NewTestServiceClient(connection)
}

// seen counts the gRPC requests that came to the callee's sidecar from the caller's by mutual TLS and have these labels.
func (p *pair) seen(labels ...string) int {
	return int(p.server.Metric("istio_requests_total", append(labels, `reporter="destination"`, `request_protocol="grpc"`,
		`connection_security_policy="mutual_tls"`, `source_principal="spiffe://cluster.local/ns/default/sa/grpc-client"`)...))
}
