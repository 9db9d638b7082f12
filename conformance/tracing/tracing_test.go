package tracing

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

func TestMain(m *testing.M) { Main(m) }

// Every process that the test starts is told, the sidecars too, which have nothing that could listen to it.
func tell(t *testing.T, collector string) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+collector)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
}

// Two callers that both follow the route of payment-service.
func shop(t *testing.T, m *Mesh) []*Workload {
	t.Helper()
	m.Join("payment-service", "v1", "v1", nil)
	m.Join("payment-service", "v2", "v2", nil)
	callers := []*Workload{m.Join("checkout", "v1", "a", nil), m.Join("checkout", "v1", "b", nil)}
	for _, caller := range callers {
		Eventually(t, 20*time.Second, caller.Name+" pays", func() bool { return caller.Paid() == nil })
	}
	return callers
}

// One edit: who answers from now on. It is in force once ten payments in a row go there.
func inForce(t *testing.T, m *Mesh, caller *Workload, version string) time.Duration {
	t.Helper()
	v1, v2 := 0, 100
	if version == "v1" {
		v1, v2 = 100, 0
	}
	m.Write("payments.yaml", m.Split(v1, v2))
	began := time.Now()
	Eventually(t, 5*time.Second, version+" answers", func() bool {
		for range 10 {
			if status, receipt, err := caller.Buy(Outside, "GET"); err != nil || status != 200 || receipt.PaymentVersion != version {
				return false
			}
		}
		return true
	})
	return time.Since(began)
}

// The spans that config made of what discovery read in one file.
func edit(t *testing.T, c *Collector, write func()) (read, generation Span) {
	t.Helper()
	before := len(c.Spans("discovery.read"))
	write()
	Eventually(t, 10*time.Second, "discovery tells what it read, and config what it made of it", func() bool {
		reads := c.Spans("discovery.read")
		if len(reads) <= before {
			return false
		}
		read = reads[before]
		for _, one := range c.Spans("config.generation") {
			if one.Attributes()["bodyguard.discovery.generation"] == read.Attributes()["bodyguard.discovery.generation"] {
				generation = one
				return true
			}
		}
		return false
	})
	return read, generation
}

func below(c *Collector, name string, parent Span) []Span {
	var found []Span
	for _, span := range c.Spans(name) {
		if bytes.Equal(span.TraceId, parent.TraceId) && bytes.Equal(span.ParentSpanId, parent.SpanId) {
			found = append(found, span)
		}
	}
	return found
}

// How an edit reached the proxies, and where the time went: what discovery read, what config made of it, each proxy's answer.
func TestAnEditIsTracedFromTheFileToEachProxysAnswer(t *testing.T) {
	c := Collect(t)
	tell(t, c.Address)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	m := NewMesh(t)
	callers := shop(t, m)

	read, generation := edit(t, c, func() { m.Write("payments.yaml", m.Split(30, 70)) })
	number := generation.Attributes()["bodyguard.generation"]
	var pushes []Span
	Eventually(t, 10*time.Second, "each caller's answer is a span", func() bool {
		pushes = below(c, "xds.push", generation)
		return len(pushes) >= len(callers)
	})

	if got := read.Attributes(); got["bodyguard.documents.put"] == "0" || got["bodyguard.problems"] != "0" || read.Failed() {
		t.Errorf("discovery read %v", got)
	}
	if read.Scope != "dev.bodyguard.discovery" || generation.Scope != "dev.bodyguard.config" {
		t.Errorf("scopes are %s and %s", read.Scope, generation.Scope)
	}
	if got := generation.Attributes(); got["bodyguard.problems"] != "0" || got["bodyguard.workloads"] != "4" || generation.Failed() {
		t.Errorf("config made %v", got)
	}
	for _, name := range []string{"config.gather", "config.translate", "config.compile"} {
		steps := below(c, name, generation)
		if len(steps) != 1 || steps[0].StartTimeUnixNano < generation.StartTimeUnixNano || steps[0].EndTimeUnixNano > generation.EndTimeUnixNano {
			t.Errorf("%s is %v", name, steps)
		}
	}
	if len(pushes) != len(callers) {
		t.Errorf("%d proxies answered, want the two callers: %v", len(pushes), pushes)
	}
	proxies := map[string]bool{}
	for _, push := range pushes {
		got := push.Attributes()
		proxies[got["bodyguard.proxy"]] = true
		if got["bodyguard.generation"] != number || got["bodyguard.xds.outcome"] != "acked" || push.Failed() ||
			got["bodyguard.peer"] != "spiffe://cluster.local/ns/default/sa/checkout" {
			t.Errorf("a push is %v", got)
		}
		if push.StartTimeUnixNano < generation.StartTimeUnixNano {
			t.Error("a push began before its generation")
		}
		all := time.Duration(push.EndTimeUnixNano - read.StartTimeUnixNano)
		if all <= 0 || all > time.Second {
			t.Errorf("from the file to the answer it took %v", all)
		}
		t.Logf("%s: read %v, generation %v, push %v; from the file to its answer %v",
			got["bodyguard.proxy"], read.Took(), generation.Took(), push.Took(), all)
	}
	if len(proxies) != len(callers) {
		t.Errorf("the proxies are %v", proxies)
	}
	resource := generation.Resource
	if resource["service.name"] != "bodyguard" || resource["service.version"] == "" || resource["service.instance.id"] == "" ||
		resource["deployment.environment.name"] != "test" || resource["telemetry.sdk.name"] != "opentelemetry" {
		t.Errorf("the resource is %v", resource)
	}

	certificates := map[string]int{}
	for _, sign := range c.Spans("identity.sign") {
		got := sign.Attributes()
		certificates[got["bodyguard.service_account"]]++
		if got["bodyguard.certificate.lifetime_s"] == "" || got["bodyguard.spiffe_id"] == "" || sign.Failed() {
			t.Errorf("a certificate is %v", got)
		}
		secret(t, sign, m)
	}
	if certificates["default/checkout"] != 2 || certificates["default/payment-service"] != 2 {
		t.Errorf("certificates were signed for %v", certificates)
	}
}

// A join token is a secret.
func secret(t *testing.T, span Span, m *Mesh) {
	t.Helper()
	tokens, err := filepath.Glob(filepath.Join(m.State, "join", "*.token"))
	if err != nil || len(tokens) == 0 {
		t.Fatalf("there are no tokens: %v", err)
	}
	for _, file := range tokens {
		token, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(span.String(), strings.TrimSpace(string(token))) {
			t.Errorf("%s has the token of %s", span.Name, file)
		}
	}
}

func TestAnInvalidEditIsMarkedWithItsProblem(t *testing.T) {
	c := Collect(t)
	tell(t, c.Address)
	m := NewMesh(t)

	// Understood by YAML, not by the dialect.
	_, generation := edit(t, c, func() { m.Write("payments.yaml", m.Split(-5, 105)) })
	problem := regexp.MustCompile(`^payments\.yaml:\d+:\d+: VirtualService default/.*-5`)
	if !generation.Failed() || !problem.MatchString(generation.Status.Message) {
		t.Errorf("the generation's status is %v", generation.Status)
	}
	if problems := generation.Problems(); len(problems) == 0 || !problem.MatchString(problems[0]) {
		t.Errorf("its problems are %q", problems)
	}

	// No YAML at all: there is nothing that config could make of it.
	before := len(c.Spans("discovery.read"))
	m.Write("payments.yaml", "kind: [Service\n")
	Eventually(t, 10*time.Second, "discovery tells what it cannot read", func() bool { return len(c.Spans("discovery.read")) > before })
	read := c.Spans("discovery.read")[before]
	if !read.Failed() || !strings.HasPrefix(read.Status.Message, "payments.yaml:") || read.Attributes()["bodyguard.problems"] != "1" {
		t.Errorf("discovery read %v: %v", read.Attributes(), read.Status)
	}

	_, generation = edit(t, c, func() { m.Write("payments.yaml", m.Split(50, 50)) })
	if generation.Failed() || len(generation.Problems()) != 0 {
		t.Errorf("what is right again is still %v", generation.Status)
	}
}

// Nobody waits for a collector.
func TestACollectorThatIsAwayOrHangsHoldsUpNothing(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, address := range map[string]string{
		"away":  fmt.Sprintf("127.0.0.1:%d", FreePort(t)),
		"hangs": silent.Addr().String(),
	} {
		t.Run(name, func(t *testing.T) {
			tell(t, address)
			t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")
			t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
			t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
			m := NewMesh(t)
			caller := shop(t, m)[0]

			// Meanwhile several exports fail.
			for edits, until := 0, time.Now().Add(8*time.Second); edits < 6 || time.Now().Before(until); edits++ {
				if took := inForce(t, m, caller, []string{"v1", "v2"}[edits%2]); took > time.Second {
					t.Errorf("edit %d was in force after %v", edits, took)
				}
			}

			lines := regexp.MustCompile(`(?m)^.*(takes no spans|opentelemetry|okhttp).*$`).FindAllString(m.Plane.Output(), -1)
			if len(lines) != 1 || !strings.Contains(lines[0], " WARN tracing: http://"+address+" takes no spans") {
				t.Errorf("it said %q", lines)
			}
			began := time.Now()
			if !m.Plane.Stop(10*time.Second) || time.Since(began) > 5*time.Second {
				t.Errorf("the control plane took %v to end", time.Since(began))
			}
		})
	}
}

// Where nobody asked for traces there is nothing of the SDK: no class, so no thread either.
func TestWithoutAnEndpointNothingOfTheSdkIsLoaded(t *testing.T) {
	classes := filepath.Join(t.TempDir(), "classes")
	t.Setenv("BODYGUARD_JAVA_OPTS", "-Xlog:class+load:file="+classes)
	m := NewMesh(t)
	m.Plane.Stop(10 * time.Second)

	loaded, err := os.ReadFile(classes)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(loaded, []byte("dev.bodyguard.tracing.Tracing ")) {
		t.Fatal("the log of classes is not one of the control plane")
	}
	for _, name := range []string{" io.opentelemetry.sdk.", " io.opentelemetry.exporter.", " okhttp3.", " kotlin."} {
		if bytes.Contains(loaded, []byte(name)) {
			t.Errorf("classes of%s were loaded", name)
		}
	}
}
