package zipkin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

func TestMain(m *testing.M) { Main(m) }

type span struct {
	TraceID       string            `json:"traceId"`
	ID            string            `json:"id"`
	ParentID      string            `json:"parentId"`
	Kind          string            `json:"kind"`
	Name          string            `json:"name"`
	Duration      int64             `json:"duration"`
	LocalEndpoint endpoint          `json:"localEndpoint"`
	RemotePeer    endpoint          `json:"remoteEndpoint"`
	Tags          map[string]string `json:"tags"`
}

type endpoint struct {
	ServiceName string `json:"serviceName"`
}

func server(t *testing.T) string {
	t.Helper()
	port := strconv.Itoa(FreePort(t))
	Start(t, "zipkin", "env", "QUERY_PORT="+port, "STORAGE_TYPE=mem", "JAVA_TOOL_OPTIONS=",
		"java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-jar", os.Getenv("ZIPKIN"))
	url := "http://127.0.0.1:" + port
	Eventually(t, 40*time.Second, "Zipkin is up", func() bool {
		answer, err := Outside.Get(url + "/health")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return url
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	answer, err := Outside.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}

// One request is one trace: checkout's outbound client span, then payment-service's server span below it.
func TestOneTraceFromCheckoutToPaymentService(t *testing.T) {
	zipkin := server(t)
	const requests = 40
	demo := Start(t, "demo", filepath.Join(Root, "bodyguard"), "demo", "--json", "--requests", strconv.Itoa(requests),
		"--trace-export", "zipkin="+zipkin+"/api/v2/spans")
	said := demo.Says(`(?m)^\{"requests".*\}`, 60*time.Second)

	var told struct {
		Spans int `json:"spans"`
	}
	if err := json.Unmarshal([]byte(said), &told); err != nil || told.Spans < 2*requests {
		t.Errorf("the demo told of %d spans for %d requests: %s %v", told.Spans, requests, said, err)
	}

	// The two sidecars of a request tell of it at different times.
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		var traces [][]span
		get(t, zipkin+"/api/v2/traces?serviceName=checkout&limit=1000", &traces)
		err := fmt.Errorf("%d traces for %d requests", len(traces), requests)
		if len(traces) >= requests {
			err = wrong(traces)
		}
		if err == nil {
			t.Logf("%d traces, each from checkout to payment-service", len(traces))
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}

	var dependencies []struct {
		Parent    string `json:"parent"`
		Child     string `json:"child"`
		CallCount int    `json:"callCount"`
	}
	get(t, fmt.Sprintf("%s/api/v2/dependencies?endTs=%d", zipkin, time.Now().UnixMilli()), &dependencies)
	if len(dependencies) != 1 || dependencies[0].Parent != "checkout" || dependencies[0].Child != "payment-service" ||
		dependencies[0].CallCount < requests {
		t.Errorf("Zipkin sees %+v", dependencies)
	}
}

// A request that comes to checkout through its sidecar is one trace from its caller to payment-service: sidecars know which
// request they take in and which they let out, the app says which belong together.
func TestOneTraceThroughBothSidecarsOfCheckout(t *testing.T) {
	zipkin := server(t)
	m := NewMesh(t, "--trace-export", "zipkin="+zipkin+"/api/v2/spans")
	sampled := []string{"--trace-sampling", "100"}
	m.Join("payment-service", "v2", "a", sampled)
	checkout := m.Join("checkout", "v1", "a", sampled)
	web := m.Join("web", "v1", "a", sampled)
	Eventually(t, 20*time.Second, "checkout reaches payment-service", func() bool { return checkout.Paid() == nil })

	const requests = 10
	client := web.Through(1)
	for range requests {
		answer, err := client.Get("http://checkout/pay")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("status %d", answer.StatusCode)
		}
	}

	want := "CLIENT of web, SERVER of checkout, CLIENT of checkout, SERVER of payment-service"
	Eventually(t, 20*time.Second, fmt.Sprintf("Zipkin has %d traces of web, each %s", requests, want), func() bool {
		var traces [][]span
		get(t, zipkin+"/api/v2/traces?serviceName=web&limit=1000", &traces)
		for _, trace := range traces {
			if chain(trace) != want {
				return false
			}
		}
		return len(traces) == requests
	})
}

// chain is what a trace tells from its root down, if each span has at most one below it.
func chain(trace []span) string {
	below := map[string]span{}
	for _, one := range trace {
		below[one.ParentID] = one
	}
	var names []string
	for at, ok := below[""]; ok && len(names) < len(trace); at, ok = below[at.ID] {
		names = append(names, at.Kind+" of "+at.LocalEndpoint.ServiceName)
	}
	if len(names) != len(trace) {
		return fmt.Sprintf("no chain: %+v", trace)
	}
	return strings.Join(names, ", ")
}

func wrong(traces [][]span) error {
	for _, trace := range traces {
		if err := check(trace); err != nil {
			return fmt.Errorf("%w: %+v", err, trace)
		}
	}
	return nil
}

// Several attempts are several server spans below one client span.
func check(trace []span) error {
	var client *span
	for i := range trace {
		if trace[i].Kind == "CLIENT" {
			client = &trace[i]
		}
	}
	if client == nil || len(trace) < 2 {
		return fmt.Errorf("no client span with another below it")
	}
	if client.ParentID != "" || client.LocalEndpoint.ServiceName != "checkout" ||
		client.RemotePeer.ServiceName != "payment-service" {
		return fmt.Errorf("the client span does not begin the trace in checkout")
	}
	for _, below := range trace {
		if below.ID == client.ID {
			continue
		}
		if below.Kind != "SERVER" || below.TraceID != client.TraceID || below.ParentID != client.ID ||
			below.LocalEndpoint.ServiceName != "payment-service" || below.RemotePeer.ServiceName != "checkout" {
			return fmt.Errorf("a span is not the server's of this call")
		}
		for tag, want := range map[string]string{
			"http.method": "GET", "bodyguard.mtls": "true",
			"bodyguard.peer":    "spiffe://cluster.local/ns/default/sa/checkout",
			"service.namespace": "default",
		} {
			if below.Tags[tag] != want {
				return fmt.Errorf("tag %s of the server span is %q, want %q", tag, below.Tags[tag], want)
			}
		}
		if version := below.Tags["service.version"]; version != "v1" && version != "v2" {
			return fmt.Errorf("the server's version is %q", version)
		}
	}
	for tag, want := range map[string]string{
		"http.method": "GET", "http.status_code": "200", "bodyguard.mtls": "true",
		"bodyguard.peer":                "spiffe://cluster.local/ns/default/sa/payment-service",
		"bodyguard.destination.service": "payment-service.default.svc.cluster.local",
	} {
		if client.Tags[tag] != want {
			return fmt.Errorf("tag %s of the client span is %q, want %q", tag, client.Tags[tag], want)
		}
	}
	if version := client.Tags["bodyguard.destination.version"]; version != "v1" && version != "v2" {
		return fmt.Errorf("the version that answered is %q", version)
	}
	return nil
}
