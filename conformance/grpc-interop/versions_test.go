package grpcinterop

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// An app of net/http speaks HTTP/1.1 only: callers that speak HTTP/2 to their sidecar are answered all the same, and
// gRPC, which that app cannot answer, is told so.
func TestHTTP2CallersOfAnAppThatSpeaksHTTP1(t *testing.T) {
	m := NewMesh(t)
	m.Join("payment-service", "v2", "a", nil)
	checkout := m.Join("checkout", "v1", "a", nil)
	toSidecar := func(ctx context.Context, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", checkout.State.Outbound)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
		Protocols:   protocols,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return toSidecar(ctx, address) },
	}}

	for _, method := range []string{"GET", "POST"} {
		for range 20 {
			request, err := http.NewRequest(method, "http://payment-service/pay", strings.NewReader("sum=1"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != 200 || response.ProtoMajor != 2 {
				t.Fatalf("%s: %v %s %s %v", method, response.Proto, response.Status, body, err)
			}
		}
	}

	connection, err := grpc.NewClient("passthrough:///payment-service:80",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(toSidecar))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_, err = testgrpc.NewTestServiceClient(connection).EmptyCall(patience(t), &testgrpc.Empty{})
	expect(t, err, codes.Unimplemented, "the request is HTTP/2, which 127.0.0.1:")
}
