// Package harness runs the product and its sample as real processes for the suites beside it: a control plane, unmodified
// Apps with their sidecars, and what a test asks of them from outside.
package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The product's Root, and the sample's binaries, built once for all tests of a suite.
var (
	Root = os.Getenv("BODYGUARD_CHECKOUT")
	Apps string
)

// Main builds the sample and runs the suite's tests; a suite's TestMain is nothing but this.
func Main(m *testing.M) {
	if Root == "" {
		fmt.Fprintln(os.Stderr, "run this by conformance/run SUITE")
		os.Exit(2)
	}
	folder, err := os.MkdirTemp("", "bodyguard-apps")
	if err != nil {
		panic(err)
	}
	Apps = folder
	build := exec.Command("go", "build", "-o", Apps, "./...")
	build.Dir = filepath.Join(Root, "samples/payments")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the sample does not build: %s", output)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(Apps)
	os.Exit(status)
}

// Mesh is a control plane with its state folder and its folder of YAML.
type Mesh struct {
	T       *testing.T
	State   string
	YAML    string
	Plane   *Process
	Command []string
}

// Workload is an unmodified app beside its sidecar.
type Workload struct {
	*Process
	Name  string
	App   string
	State SidecarState
}

// SidecarState is what a sidecar tells of itself in sidecar.json.
type SidecarState struct {
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
	T      *testing.T
	Name   string
	Cmd    *exec.Cmd
	mu     sync.Mutex
	output bytes.Buffer
	done   chan struct{}
}

func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

// Output is all that the process has written so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Start runs a command that is stopped when the test ends; what it said last is shown where the test failed.
func Start(t *testing.T, name string, args ...string) *Process {
	t.Helper()
	return StartWith(t, name, nil, args...)
}

// StartWith is Start with further environment variables, each KEY=VALUE.
func StartWith(t *testing.T, name string, environment []string, args ...string) *Process {
	t.Helper()
	p := &Process{T: t, Name: name, done: make(chan struct{})}
	p.Cmd = exec.Command(args[0], args[1:]...)
	p.Cmd.Env = append(os.Environ(), environment...)
	p.Cmd.Stdout, p.Cmd.Stderr = p, p
	if err := p.Cmd.Start(); err != nil {
		t.Fatalf("%s does not start: %v", name, err)
	}
	go func() { _ = p.Cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.Stop(10 * time.Second)
		_ = p.Cmd.Process.Kill()
		if t.Failed() {
			t.Logf("---- %s said:\n%s", name, Tail(p.Output(), 25))
		}
	})
	return p
}

// Stop asks the process to end and waits; it reports whether it did in time.
func (p *Process) Stop(patience time.Duration) bool {
	_ = p.Cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(patience):
		return false
	}
}

// Kill ends the process without a word, and waits.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill()
	<-p.done
}

// Alive says whether the process still runs.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Says waits until the output has a line that matches.
func (p *Process) Says(pattern string, patience time.Duration) string {
	p.T.Helper()
	expression := regexp.MustCompile(pattern)
	var found string
	Eventually(p.T, patience, fmt.Sprintf("%s says %q", p.Name, pattern), func() bool {
		found = expression.FindString(p.Output())
		return found != ""
	})
	return found
}

// Eventually waits until something holds, and fails the test where it does not in time.
func Eventually(t *testing.T, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is not true: %s", patience, what)
		}
	}
}

// NewMesh starts a control plane on the sample's YAML.
func NewMesh(t *testing.T, options ...string) *Mesh {
	t.Helper()
	m := &Mesh{T: t, State: filepath.Join(t.TempDir(), "state"), YAML: filepath.Join(t.TempDir(), "mesh")}
	if err := os.Mkdir(m.YAML, 0o755); err != nil {
		t.Fatal(err)
	}
	m.Write("payments.yaml", SampleYAML(t))
	m.Command = append([]string{
		filepath.Join(Root, "bodyguard"), "run", "-f", m.YAML, "--state", m.State,
		"--xds-port", "0", "--identity-port", "0", "--discovery-port", "0", "--telemetry-port", "0", "--otlp-port", "0", "--admin-port", "0",
	}, options...)
	m.Revive()
	return m
}

// Revive starts the control plane, also again after it was killed, and waits until it is ready.
func (m *Mesh) Revive() {
	m.T.Helper()
	m.Plane = Start(m.T, "control plane", m.Command...)
	Eventually(m.T, 60*time.Second, "the control plane is ready", func() bool {
		if !m.Plane.Alive() {
			m.T.Fatalf("the control plane ended: %s", m.Plane.Output())
		}
		var told struct {
			Pid int `json:"pid"`
		}
		content, err := os.ReadFile(filepath.Join(m.State, "control-plane.json"))
		return err == nil && json.Unmarshal(content, &told) == nil && told.Pid == m.Plane.Cmd.Process.Pid
	})
}

// Asked is what one of the product's own commands (status, check) says of the mesh, and how it ended.
func (m *Mesh) Asked(command ...string) (string, error) {
	output, err := exec.Command(filepath.Join(Root, "bodyguard"), append(command, "--state", m.State)...).CombinedOutput()
	return string(output), err
}

// Status is what `bodyguard status` says of the mesh.
func (m *Mesh) Status() string {
	m.T.Helper()
	output, err := m.Asked("status")
	if err != nil {
		m.T.Fatalf("status: %v\n%s", err, output)
	}
	return output
}

// SampleYAML is the payment sample's mesh in Istio's words.
func SampleYAML(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(Root, "samples/payments/mesh/payments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Write replaces a YAML file of the mesh as editors do: in one rename.
func (m *Mesh) Write(name, content string) {
	m.T.Helper()
	hidden := filepath.Join(m.YAML, "."+name+".tmp")
	if err := os.WriteFile(hidden, []byte(content), 0o644); err != nil {
		m.T.Fatal(err)
	}
	if err := os.Rename(hidden, filepath.Join(m.YAML, name)); err != nil {
		m.T.Fatal(err)
	}
}

// Split is the sample's YAML with its route divided between the versions.
func (m *Mesh) Split(v1, v2 int) string {
	return strings.Replace(SampleYAML(m.T), `        - destination:
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

// Join starts an app with its sidecar and waits until peers can reach it. Whatever is not checkout is played by
// payment-service.
func (m *Mesh) Join(service, version, instance string, options []string, appFlags ...string) *Workload {
	m.T.Helper()
	w := m.Launch(service, version, instance, options, appFlags...)
	w.Ready(60 * time.Second)
	return w
}

// Launch starts an app with its sidecar and waits for its addresses only.
func (m *Mesh) Launch(service, version, instance string, options []string, appFlags ...string) *Workload {
	m.T.Helper()
	port := FreePort(m.T)
	app := fmt.Sprintf("127.0.0.1:%d", port)
	options = slices.Clip(options)
	if service == "checkout" {
		options = append(options, "--", filepath.Join(Apps, "checkout"), "--addr", app)
	} else {
		options = append(options, "--", filepath.Join(Apps, "payment-service"), "--addr", app, "--version", version)
	}
	return m.Beside(port, service, version, instance, append(options, appFlags...)...)
}

// Beside starts a sidecar, with further options and perhaps an app's command, beside an app's port, and waits for its
// addresses only.
func (m *Mesh) Beside(port int, service, version, instance string, options ...string) *Workload {
	m.T.Helper()
	w := &Workload{Name: service + "-" + instance, App: fmt.Sprintf("127.0.0.1:%d", port)}
	w.Process = Start(m.T, w.Name, append([]string{
		filepath.Join(Root, "bodyguard"), "sidecar", "--state", m.State, "--service", service,
		"--version", version, "--name", w.Name, "--app-port", strconv.Itoa(port),
	}, options...)...)
	w.T = m.T
	w.Tells(m)
	return w
}

// Again starts a workload that has ended once more, by the same command, and waits for its addresses only.
func (w *Workload) Again(m *Mesh) {
	w.T.Helper()
	w.Process = Start(w.T, w.Name, w.Cmd.Args...)
	w.Tells(m)
}

// Tells waits until the sidecar has written its addresses.
func (w *Workload) Tells(m *Mesh) {
	w.T.Helper()
	file := filepath.Join(m.State, "sidecars", w.Name, "sidecar.json")
	Eventually(w.T, 60*time.Second, w.Name+" tells its addresses", func() bool {
		if !w.Alive() {
			w.T.Fatalf("%s ended: %s", w.Name, w.Output())
		}
		content, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(content, &w.State) == nil && w.State.Pid == w.Cmd.Process.Pid
	})
}

// Ready waits until the sidecar says so.
func (w *Workload) Ready(patience time.Duration) {
	w.T.Helper()
	Eventually(w.T, patience, w.Name+" is ready", func() bool {
		if !w.Alive() {
			w.T.Fatalf("%s ended: %s", w.Name, w.Output())
		}
		response, err := Outside.Get("http://" + w.State.Admin + "/healthz/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == 200
	})
}

// Outside is a caller that knows nothing of proxies.
var Outside = &http.Client{
	Timeout:   15 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 256},
}

// Through is a caller whose requests go to the sidecar's outbound port, on at most the given connections.
func (w *Workload) Through(connections int) *http.Client {
	proxy := &url.URL{Scheme: "http", Host: w.State.Outbound}
	return &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			Proxy: http.ProxyURL(proxy), MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
		},
	}
}

// Receipt is checkout's answer.
type Receipt struct {
	PaymentVersion string `json:"paymentVersion"`
	Error          string `json:"error"`
}

// Buy calls checkout from outside the mesh and answers with what it said.
func (w *Workload) Buy(client *http.Client, method string) (int, Receipt, error) {
	request, err := http.NewRequest(method, "http://"+w.App+"/pay", nil)
	if err != nil {
		return 0, Receipt{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, Receipt{}, err
	}
	defer response.Body.Close()
	var got Receipt
	err = json.NewDecoder(response.Body).Decode(&got)
	return response.StatusCode, got, err
}

// Stats is what payment-service counted.
type Stats struct {
	Requests      int64            `json:"requests"`
	ByMethod      map[string]int64 `json:"byMethod"`
	Failed        int64            `json:"failed"`
	Cancelled     int64            `json:"cancelled"`
	Active        int              `json:"active"`
	Bytes         int64            `json:"bytes"`
	LongestMillis int64            `json:"longestMillis"`
}

// Stats asks payment-service itself, beside the mesh.
func (w *Workload) Stats() Stats {
	w.T.Helper()
	var s Stats
	response, err := Outside.Get("http://" + w.App + "/stats")
	if err != nil {
		w.T.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		w.T.Fatal(err)
	}
	return s
}

// MetricsText is the sidecar's Prometheus page.
func (w *Workload) MetricsText() string {
	w.T.Helper()
	response, err := Outside.Get(w.State.Metrics)
	if err != nil {
		w.T.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.T.Fatal(err)
	}
	return string(text)
}

// Metric is the sum of all series of a family whose labels contain every given text. The family must be there.
func (w *Workload) Metric(family string, labels ...string) float64 {
	w.T.Helper()
	sum := 0.0
	text := w.MetricsText()
	if !strings.Contains(text, "# TYPE "+strings.TrimSuffix(family, "_count")+" ") {
		w.T.Fatalf("%s has no metric %s:\n%s", w.Name, family, text)
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
			w.T.Fatalf("metric line %q: %v", line, err)
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

// AccessLog is every JSON line the sidecar wrote so far.
func (w *Workload) AccessLog() []map[string]any {
	var lines []map[string]any
	for _, line := range strings.Split(w.Output(), "\n") {
		var entry map[string]any
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &entry) == nil {
			lines = append(lines, entry)
		}
	}
	return lines
}

// FreePort is a port that nobody listens on, below the range from which the system takes a client's ports, so that no outgoing
// connection sits on it before its process has started. None is given twice, nor to a suite that runs beside this one.
func FreePort(t *testing.T) int {
	t.Helper()
	for range 1_000 {
		port := 10_000 + rand.IntN(5_000)
		if !taken(t, port) {
			continue
		}
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no free port from 10000 to 15000")
	return 0
}

// taken is whether the port is now this process' to give, among all suites on the machine and until the process ends.
func taken(t *testing.T, port int) bool {
	t.Helper()
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("bodyguard-ports-%d", os.Getuid()))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(filepath.Join(folder, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	// A lock that this process holds by another file is in the way just the same.
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		file.Close()
		return false
	}
	givenPorts.Store(port, file)
	return true
}

// givenPorts holds the locks: a file that nothing refers to any more is closed.
var givenPorts sync.Map

// Tail is the last lines of a text.
func Tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

var (
	compiledMu sync.Mutex
	compiled   = map[string]*regexp.Regexp{}
)

// Compile is a regular expression, kept for the next time.
func Compile(pattern string) *regexp.Regexp {
	compiledMu.Lock()
	defer compiledMu.Unlock()
	if compiled[pattern] == nil {
		compiled[pattern] = regexp.MustCompile(pattern)
	}
	return compiled[pattern]
}
