package mainjob

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The product's root, and the sample's binaries, built once for all tests.
var (
	root = os.Getenv("BODYGUARD_ROOT")
	apps string
)

func TestMain(m *testing.M) {
	if root == "" {
		fmt.Fprintln(os.Stderr, "run this by conformance/run main-job")
		os.Exit(2)
	}
	folder, err := os.MkdirTemp("", "main-job-apps")
	if err != nil {
		panic(err)
	}
	apps = folder
	build := exec.Command("go", "build", "-o", apps, "./...")
	build.Dir = filepath.Join(root, "samples/payments")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the sample does not build: %s", output)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(apps)
	os.Exit(status)
}

// Mesh is a control plane with its state folder and its folder of YAML.
type Mesh struct {
	t      *testing.T
	state  string
	yaml   string
	plane  *Process
	planes []string
}

// Workload is an unmodified app beside its sidecar.
type Workload struct {
	*Process
	name  string
	app   string
	state sidecarState
}

type sidecarState struct {
	Pid      int    `json:"pid"`
	ChildPid int    `json:"childPid"`
	Outbound string `json:"outbound"`
	Inbound  string `json:"inbound"`
	Admin    string `json:"admin"`
	Metrics  string `json:"metrics"`
	SpiffeID string `json:"spiffeId"`
}

// Process is a started command whose output can be read while it runs.
type Process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	mu     sync.Mutex
	output bytes.Buffer
	done   chan struct{}
}

func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

func start(t *testing.T, name string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, name: name, done: make(chan struct{})}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s does not start: %v", name, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.Stop(10 * time.Second)
		_ = p.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("---- %s said:\n%s", name, tail(p.Output(), 25))
		}
	})
	return p
}

// Stop asks the process to end and waits; it reports whether it did in time.
func (p *Process) Stop(patience time.Duration) bool {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(patience):
		return false
	}
}

func (p *Process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// says waits until the output has a line that matches.
func (p *Process) says(pattern string, patience time.Duration) string {
	p.t.Helper()
	expression := regexp.MustCompile(pattern)
	var found string
	eventually(p.t, patience, fmt.Sprintf("%s says %q", p.name, pattern), func() bool {
		found = expression.FindString(p.Output())
		return found != ""
	})
	return found
}

func eventually(t *testing.T, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is not true: %s", patience, what)
		}
	}
}

// newMesh starts a control plane on the sample's YAML.
func newMesh(t *testing.T, options ...string) *Mesh {
	t.Helper()
	m := &Mesh{t: t, state: filepath.Join(t.TempDir(), "state"), yaml: filepath.Join(t.TempDir(), "mesh")}
	if err := os.Mkdir(m.yaml, 0o755); err != nil {
		t.Fatal(err)
	}
	m.write("payments.yaml", sampleYAML(t))
	m.planes = append([]string{
		filepath.Join(root, "bodyguard"), "run", "-f", m.yaml, "--state", m.state,
		"--xds-port", "0", "--identity-port", "0", "--discovery-port", "0", "--telemetry-port", "0", "--admin-port", "0",
	}, options...)
	m.plane = start(t, "control plane", m.planes...)
	eventually(t, 60*time.Second, "the control plane is ready", func() bool {
		if !m.plane.alive() {
			t.Fatalf("the control plane ended: %s", m.plane.Output())
		}
		_, err := os.Stat(filepath.Join(m.state, "control-plane.json"))
		return err == nil
	})
	return m
}

func sampleYAML(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "samples/payments/mesh/payments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// write replaces a YAML file of the mesh as editors do: in one rename.
func (m *Mesh) write(name, content string) {
	m.t.Helper()
	hidden := filepath.Join(m.yaml, "."+name+".tmp")
	if err := os.WriteFile(hidden, []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(hidden, filepath.Join(m.yaml, name)); err != nil {
		m.t.Fatal(err)
	}
}

// split is the sample's YAML with its route divided between the versions.
func (m *Mesh) split(v1, v2 int) string {
	return strings.Replace(sampleYAML(m.t), `        - destination:
            host: payment-service
            subset: v2
`, fmt.Sprintf(`        - destination:
            host: payment-service
            subset: v1
          weight: %d
        - destination:
            host: payment-service
            subset: v2
          weight: %d
`, v1, v2), 1)
}

// join starts an app with its sidecar and waits until peers can reach it. Whatever is not checkout is played by
// payment-service.
func (m *Mesh) join(service, version, instance string, options []string, appFlags ...string) *Workload {
	m.t.Helper()
	w := m.launch(service, version, instance, options, appFlags...)
	w.ready(60 * time.Second)
	return w
}

func (m *Mesh) launch(service, version, instance string, options []string, appFlags ...string) *Workload {
	m.t.Helper()
	port := freePort(m.t)
	w := &Workload{name: service + "-" + instance, app: fmt.Sprintf("127.0.0.1:%d", port)}
	args := append([]string{
		filepath.Join(root, "bodyguard"), "sidecar", "--state", m.state, "--service", service,
		"--version", version, "--name", w.name, "--app-port", strconv.Itoa(port),
	}, options...)
	if service == "checkout" {
		args = append(args, "--", filepath.Join(apps, "checkout"), "--addr", w.app)
	} else {
		args = append(args, "--", filepath.Join(apps, "payment-service"), "--addr", w.app, "--version", version)
	}
	w.Process = start(m.t, w.name, append(args, appFlags...)...)
	w.t = m.t
	w.stateFile(m)
	return w
}

func (w *Workload) stateFile(m *Mesh) {
	w.t.Helper()
	file := filepath.Join(m.state, "sidecars", w.name, "sidecar.json")
	eventually(w.t, 60*time.Second, w.name+" tells its addresses", func() bool {
		if !w.alive() {
			w.t.Fatalf("%s ended: %s", w.name, w.Output())
		}
		content, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(content, &w.state) == nil && w.state.Pid == w.cmd.Process.Pid
	})
}

func (w *Workload) ready(patience time.Duration) {
	w.t.Helper()
	eventually(w.t, patience, w.name+" is ready", func() bool {
		if !w.alive() {
			w.t.Fatalf("%s ended: %s", w.name, w.Output())
		}
		response, err := outside.Get("http://" + w.state.Admin + "/healthz/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == 200
	})
}

// outside is a caller that knows nothing of proxies.
var outside = &http.Client{
	Timeout:   15 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 256},
}

// through is a caller whose requests go to the sidecar's outbound port, on at most the given connections.
func (w *Workload) through(connections int) *http.Client {
	proxy := &url.URL{Scheme: "http", Host: w.state.Outbound}
	return &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			Proxy: http.ProxyURL(proxy), MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
		},
	}
}

type receipt struct {
	PaymentVersion string `json:"paymentVersion"`
	Error          string `json:"error"`
}

// buy calls checkout from outside the mesh and answers with what it said.
func (w *Workload) buy(client *http.Client, method string) (int, receipt, error) {
	request, err := http.NewRequest(method, "http://"+w.app+"/pay", nil)
	if err != nil {
		return 0, receipt{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, receipt{}, err
	}
	defer response.Body.Close()
	var got receipt
	err = json.NewDecoder(response.Body).Decode(&got)
	return response.StatusCode, got, err
}

type stats struct {
	Requests      int64            `json:"requests"`
	ByMethod      map[string]int64 `json:"byMethod"`
	Failed        int64            `json:"failed"`
	Cancelled     int64            `json:"cancelled"`
	Active        int              `json:"active"`
	Bytes         int64            `json:"bytes"`
	LongestMillis int64            `json:"longestMillis"`
}

// stats asks payment-service itself, beside the mesh.
func (w *Workload) stats() stats {
	w.t.Helper()
	var s stats
	response, err := outside.Get("http://" + w.app + "/stats")
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *Workload) metricsText() string {
	w.t.Helper()
	response, err := outside.Get(w.state.Metrics)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// metric is the sum of all series of a family whose labels contain every given text. The family must be there.
func (w *Workload) metric(family string, labels ...string) float64 {
	w.t.Helper()
	sum := 0.0
	text := w.metricsText()
	if !strings.Contains(text, "# TYPE "+strings.TrimSuffix(family, "_count")+" ") {
		w.t.Fatalf("%s has no metric %s:\n%s", w.name, family, text)
	}
	for _, line := range strings.Split(text, "\n") {
		name, rest, _ := strings.Cut(line, "{")
		if name != family && !strings.HasPrefix(line, family+" ") {
			continue
		}
		if !all(labels, func(label string) bool { return strings.Contains(rest, label) }) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			w.t.Fatalf("metric line %q: %v", line, err)
		}
		sum += value
	}
	return sum
}

func all[T any](items []T, holds func(T) bool) bool {
	for _, item := range items {
		if !holds(item) {
			return false
		}
	}
	return true
}

// accessLog is every JSON line the sidecar wrote so far.
func (w *Workload) accessLog() []map[string]any {
	var lines []map[string]any
	for _, line := range strings.Split(w.Output(), "\n") {
		var entry map[string]any
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &entry) == nil {
			lines = append(lines, entry)
		}
	}
	return lines
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

var (
	compiledMu sync.Mutex
	compiled   = map[string]*regexp.Regexp{}
)

func compile(pattern string) *regexp.Regexp {
	compiledMu.Lock()
	defer compiledMu.Unlock()
	if compiled[pattern] == nil {
		compiled[pattern] = regexp.MustCompile(pattern)
	}
	return compiled[pattern]
}
