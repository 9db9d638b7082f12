package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
	"golang.org/x/net/websocket"
)

// webSockets are those of a client and a server that know of no proxy: messages of every length of a frame's length both
// ways, an end that the other side hears of, and what is noted about it on the way.
func webSockets(t *testing.T, w way) {
	ended := make(chan error, 1)
	serve(t, w, websocket.Handler(func(ws *websocket.Conn) {
		_, err := io.Copy(ws, ws)
		ended <- err
	}))
	counted := w.counted("101")

	for name, connect := range map[string]func() net.Conn{
		"as a request to a proxy": func() net.Conn { return dial(t, w.caller.State.Outbound) },
		"inside of CONNECT":       func() net.Conn { return tunnel(t, w) },
	} {
		ws, err := websocket.NewClient(config(t, w, "/chat"), connect())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, length := range []int{0, 1, 125, 126, 65_535, 65_536, 3 << 20} {
			message := make([]byte, length)
			for i := range message {
				message[i] = byte(rand.N(256))
			}
			go func() { _ = websocket.Message.Send(ws, message) }()
			echoed := make([]byte, length)
			if _, err := io.ReadFull(ws, echoed); err != nil || !bytes.Equal(message, echoed) {
				t.Fatalf("%s: %d bytes come back otherwise (%v)", name, length, err)
			}
		}
		ws.Close()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatalf("%s: the server has not heard that its client ended", name)
		}
	}

	Eventually(t, patience, "every sidecar on the way has counted two upgrades", func() bool {
		for i, now := range w.counted("101") {
			if now != counted[i]+2 {
				return false
			}
		}
		return true
	})
	Eventually(t, patience, "the access log tells of one, and of its bytes", func() bool {
		return slices.ContainsFunc(w.caller.AccessLog(), func(line map[string]any) bool {
			sent, _ := line["bytes_received"].(float64)
			return line["response_code"] == 101.0 && line["path"] == "/chat" && line["authority"] == w.host && sent > 3<<20
		})
	})
}

// webSocketsWhereTheServerEnds are told to the client at once.
func webSocketsWhereTheServerEnds(t *testing.T, w way) {
	serve(t, w, websocket.Handler(func(ws *websocket.Conn) { _ = websocket.Message.Send(ws, "goodbye") }))
	ws, err := websocket.NewClient(config(t, w, "/"), dial(t, w.caller.State.Outbound))
	if err != nil {
		t.Fatal(err)
	}
	var said string
	if err := websocket.Message.Receive(ws, &said); err != nil || said != "goodbye" {
		t.Fatalf("%q (%v)", said, err)
	}
	if err := websocket.Message.Receive(ws, &said); err != io.EOF {
		t.Errorf("no end, but %q (%v)", said, err)
	}
}

// upgradesAreAuthorized as what they are, a GET, by the app's sidecar.
func upgradesAreAuthorized(t *testing.T, w way) {
	app := listen(t, w.app)
	defer app.Close()
	client := dial(t, w.caller.State.Outbound)
	send(t, client, "GET /secret HTTP/1.1\r\nHost: "+w.host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if head := readHead(t, reader{client, bufio.NewReader(client)}); !strings.HasPrefix(head, "HTTP/1.1 403 ") {
		t.Errorf("not refused:\n%s", head)
	}
}

// upgradesHaveTheRoutesTime for their answer, and as much as they like for what follows. The rule is the service's.
func upgradesHaveTheRoutesTime(t *testing.T, w way) {
	const asks = "GET /brief HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	app := listen(t, w.app)
	defer app.Close()
	client := dial(t, w.caller.State.Outbound)
	send(t, client, asks)
	server := accept(t, app)
	if head := readHead(t, reader{client, bufio.NewReader(client)}); !strings.HasPrefix(head, "HTTP/1.1 504 ") {
		t.Errorf("an app may take its time:\n%s", head)
	}
	server.Close()

	client = dial(t, w.caller.State.Outbound)
	send(t, client, asks)
	server = accept(t, app)
	readHead(t, server)
	send(t, server.Conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	answers := reader{client, bufio.NewReader(client)}
	readHead(t, answers)
	time.Sleep(1500 * time.Millisecond)
	send(t, client, "late")
	late := make([]byte, 4)
	if _, err := io.ReadFull(server, late); err != nil || string(late) != "late" {
		t.Errorf("%q (%v)", late, err)
	}
}

// anyProtocol may be asked for, by any method, and a stream of it be held back.
func anyProtocol(t *testing.T, w way) {
	app := listen(t, w.app)
	defer app.Close()
	client := dial(t, w.caller.State.Outbound)
	send(t, client, "POST /attach HTTP/1.1\r\nHost: "+w.host+"\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n")
	server := accept(t, app)
	head := readHead(t, server)
	if !strings.HasPrefix(head, "POST /attach HTTP/1.1\r\n") || !strings.Contains(head, "upgrade: tcp\r\n") {
		t.Fatalf("the app is asked otherwise:\n%s", head)
	}
	send(t, server.Conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nready")
	answers := reader{client, bufio.NewReader(client)}
	if head := readHead(t, answers); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("not granted:\n%s", head)
	}
	ready := make([]byte, 5)
	if _, err := io.ReadFull(answers, ready); err != nil || string(ready) != "ready" {
		t.Fatalf("%q (%v)", ready, err)
	}

	// Nobody reads: what is on the way has an end.
	sent, chunk := 0, make([]byte, 1<<16)
	for {
		_ = client.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := client.Write(chunk)
		sent += n
		if err != nil {
			break
		}
		if sent > 256<<20 {
			t.Fatal("a client may send as much as it likes to an app that does not read")
		}
	}
	_ = client.SetWriteDeadline(time.Time{})
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, server); err != nil || n != int64(sent) {
		t.Fatalf("the app reads %d of %d bytes (%v)", n, sent, err)
	}
	send(t, server.Conn, "goodbye\n")
	server.Close()
	if all, err := io.ReadAll(answers); err != nil || string(all) != "goodbye\n" {
		t.Errorf("the client reads %q (%v)", all, err)
	}
}

// counted is how many requests each sidecar on the way has answered with a status.
func (w way) counted(status string) []float64 {
	label := fmt.Sprintf(`response_code="%s"`, status)
	counts := []float64{w.caller.Metric("istio_requests_total", label)}
	if w.sidecars == 2 {
		counts = append(counts, w.callee.Metric("istio_requests_total", label))
	}
	return counts
}

func serve(t *testing.T, w way, handler http.Handler) {
	t.Helper()
	server := &http.Server{Handler: handler}
	listener := listen(t, w.app)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
}

func config(t *testing.T, w way, path string) *websocket.Config {
	t.Helper()
	config, err := websocket.NewConfig("ws://"+w.host+path, "http://"+w.host+"/")
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// tunnel is a connection to the app as a client has it that was told of a proxy.
func tunnel(t *testing.T, w way) net.Conn {
	t.Helper()
	connection := dial(t, w.caller.State.Outbound)
	send(t, connection, "CONNECT "+w.host+":80 HTTP/1.1\r\nHost: "+w.host+":80\r\n\r\n")
	answers := reader{connection, bufio.NewReader(connection)}
	if head := readHead(t, answers); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		t.Fatalf("no tunnel: %s", head)
	}
	return answers
}
