package tracing

import (
	"context"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// Span is a span with the resource that it came from.
type Span struct {
	*trace.Span
	Resource map[string]string
	Scope    string
}

// Collector takes spans by OTLP over gRPC.
type Collector struct {
	collector.UnimplementedTraceServiceServer
	Address string
	mu      sync.Mutex
	spans   []Span
}

// Collect starts a collector that ends with the test.
func Collect(t *testing.T) *Collector {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{Address: listener.Addr().String()}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return c
}

// Export is what OTLP clients call.
func (c *Collector) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range request.ResourceSpans {
		for _, in := range of.ScopeSpans {
			for _, span := range in.Spans {
				c.spans = append(c.spans, Span{span, attributes(of.Resource.Attributes), in.Scope.Name})
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// Spans are those of a name that have come so far.
func (c *Collector) Spans(name string) []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []Span
	for _, span := range c.spans {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// Attributes as text, whatever their type.
func (s Span) Attributes() map[string]string { return attributes(s.Span.Attributes) }

// Problems are the messages of a span's problem events.
func (s Span) Problems() []string {
	var all []string
	for _, event := range s.Events {
		if event.Name == "problem" {
			all = append(all, attributes(event.Attributes)["bodyguard.problem"])
		}
	}
	return all
}

// Failed says whether the span's status is an error.
func (s Span) Failed() bool { return s.Status.GetCode() == trace.Status_STATUS_CODE_ERROR }

// Took is how long it lasted.
func (s Span) Took() time.Duration { return time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano) }

func attributes(all []*common.KeyValue) map[string]string {
	texts := map[string]string{}
	for _, one := range all {
		switch value := one.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			texts[one.Key] = value.StringValue
		case *common.AnyValue_IntValue:
			texts[one.Key] = strconv.FormatInt(value.IntValue, 10)
		default:
			texts[one.Key] = one.Value.String()
		}
	}
	return texts
}
