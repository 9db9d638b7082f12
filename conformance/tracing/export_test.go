package tracing

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	. "dev.bodyguard/conformance/harness"
)

// receiver starts the OTLP receiver of OpenTelemetry's Collector, unmodified, over HTTP, and returns where it listens and what
// it has taken.
func receiver(t *testing.T) (string, *consumertest.TracesSink) {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	factory, sink := otlpreceiver.NewFactory(), new(consumertest.TracesSink)
	config := factory.CreateDefaultConfig()
	written := map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": address}}}
	if err := confmap.NewFromStringMap(written).Unmarshal(config); err != nil {
		t.Fatal(err)
	}
	receives, err := factory.CreateTraces(context.Background(), receivertest.NewNopSettings(factory.Type()), config, sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := receives.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = receives.Shutdown(context.Background()) })
	return address, sink
}

// What the sidecars tell of requests is handed on by --trace-export otlp= to whoever takes OTLP over HTTP.
func TestSidecarsSpansReachAnOpenTelemetryCollector(t *testing.T) {
	address, sink := receiver(t)
	m := NewMesh(t, "--trace-export", "otlp=http://"+address+"/v1/traces")
	sampled := []string{"--trace-sampling", "100"}
	m.Join("payment-service", "v2", "a", sampled)
	checkout := m.Join("checkout", "v1", "a", sampled)
	Eventually(t, 20*time.Second, "checkout pays", func() bool { return checkout.Paid() == nil })
	const requests = 20
	for range requests {
		if err := checkout.Paid(); err != nil {
			t.Fatal(err)
		}
	}

	type told struct {
		service string
		span    ptrace.Span
	}
	var pairs [][2]told
	Eventually(t, 15*time.Second, "each request is a client span with a server span below it", func() bool {
		servers := map[string]told{}
		var clients []told
		for _, batch := range sink.AllTraces() {
			for _, of := range batch.ResourceSpans().All() {
				service, _ := of.Resource().Attributes().Get("service.name")
				for _, in := range of.ScopeSpans().All() {
					for _, span := range in.Spans().All() {
						if span.Kind() == ptrace.SpanKindServer {
							servers[span.TraceID().String()+span.ParentSpanID().String()] = told{service.Str(), span}
						} else {
							clients = append(clients, told{service.Str(), span})
						}
					}
				}
			}
		}
		pairs = nil
		for _, client := range clients {
			if server, ok := servers[client.span.TraceID().String()+client.span.SpanID().String()]; ok {
				pairs = append(pairs, [2]told{client, server})
			}
		}
		return len(pairs) > requests && len(pairs) == len(clients)
	})
	for _, pair := range pairs {
		client, server := pair[0], pair[1]
		peer, _ := server.span.Attributes().Get("bodyguard.peer")
		if client.service != "checkout" || server.service != "payment-service" || client.span.Kind() != ptrace.SpanKindClient ||
			!client.span.ParentSpanID().IsEmpty() || !strings.HasSuffix(peer.AsString(), "/sa/checkout") ||
			client.span.EndTimestamp() <= client.span.StartTimestamp() {
			t.Errorf("a request is told as %s %v and %s %v", client.service, client.span.Attributes().AsRaw(),
				server.service, server.span.Attributes().AsRaw())
		}
	}
	t.Logf("%d requests, a span of each side of all of them", len(pairs))
}
