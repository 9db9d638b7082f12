package h2spec

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// All that h2spec has without its strict ones, of which there is none in what the others are measured by.
const all = 145

// h2spec asks for whomever it connects to, so the app's name is that of this machine.
const documents = `
apiVersion: v1
kind: Service
metadata: {name: localhost}
spec: {ports: [{name: http, port: %d, targetPort: %d}]}
`

// Both listeners of real sidecars with an app behind: a caller by prior knowledge, and a peer by mutual TLS.
func TestH2spec(t *testing.T) {
	m := NewMesh(t)
	app := startApp(t)
	callee := m.Beside(app, "localhost", "v1", "1")
	caller := m.Beside(startApp(t), "caller", "v1", "1")
	outbound := portOf(t, caller.State.Outbound)
	m.Write("localhost.yaml", fmt.Sprintf(documents, outbound, app))
	callee.Ready(60 * time.Second)
	caller.Ready(60 * time.Second)
	peer := tunnel(t, callee.State.Inbound, fetchIdentity(t, m, "caller"))
	Eventually(t, 20*time.Second, "the app answers through both sidecars", func() bool { return answers(outbound) })

	for _, c := range []struct {
		listener string
		port     int
	}{{"outbound", outbound}, {"inbound", peer}} {
		t.Run(c.listener, func(t *testing.T) {
			t.Parallel()
			passed := 0
			for _, found := range examine(t, c.port) {
				t.Run(found.name, func(t *testing.T) {
					switch found.mark {
					case "✔":
						passed++
					default:
						t.Error(found.why)
					}
				})
			}
			if passed != all {
				t.Errorf("%d of %d passed", passed, all)
			}
		})
	}
}

// A case, and how it went.
type found struct{ name, mark, why string }

var (
	section = regexp.MustCompile(`^ *([0-9][0-9.]*)\. `)
	result  = regexp.MustCompile(`^ *([^ 0-9]+) ?([0-9]+): (.*)$`)
)

// examine runs h2spec and reads what it prints: a line a case below its section's, and those that failed once more at
// the end, with what was expected.
func examine(t *testing.T, port int) []found {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, os.Getenv("H2SPEC"), "--host", "localhost", "--port", strconv.Itoa(port),
		"--timeout", "5").Output()
	if ctx.Err() != nil {
		t.Fatalf("h2spec did not end in time:\n%s", Tail(string(output), 10))
	}
	cases, failures, _ := strings.Cut(string(output), "Failures:")
	var all []found
	spec, at := "", ""
	for _, line := range strings.Split(cases, "\n") {
		// Its title was there before, for whoever waits.
		line = line[strings.LastIndexByte(line, '\r')+1:]
		if heading := section.FindStringSubmatch(line); heading != nil {
			at = heading[1]
		} else if ended := result.FindStringSubmatch(line); ended != nil {
			all = append(all, found{spec + "/" + at + "/" + ended[2], ended[1], ended[3]})
		} else if line != "" && line[0] != ' ' {
			spec = map[string]string{"Ge": "generic", "Hy": "http2", "HP": "hpack"}[line[:min(2, len(line))]]
		}
	}
	if len(all) == 0 {
		t.Fatalf("h2spec says nothing of its cases (%v):\n%s", err, Tail(string(output), 10))
	}
	if failures != "" {
		t.Log(strings.TrimSpace(failures))
	}
	return all
}

// startApp answers whatever it is asked for with something to read, in HTTP/1.1 and HTTP/2; it returns its port.
func startApp(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	versions := new(http.Protocols)
	versions.SetHTTP1(true)
	versions.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: versions, ErrorLog: nil, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				_, _ = io.WriteString(w, "what was asked for\n")
			}
		})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

func answers(port int) bool {
	response, err := Outside.Get(fmt.Sprintf("http://localhost:%d/", port))
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == 200
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
