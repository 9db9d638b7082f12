package http1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// patience is for what comes within milliseconds where all is well.
const patience = 10 * time.Second

// trailers go both ways, between a client and a server that know them.
func trailers(t *testing.T, w way) {
	asked := make(chan string, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Trailer", "X-Sum")
		body, _ := io.ReadAll(r.Body)
		asked <- string(body) + " " + r.Trailer.Get("X-Sum")
		_, _ = io.WriteString(rw, "answer")
		rw.Header().Set("X-Sum", "6")
	})}
	go func() { _ = server.Serve(listen(t, w.app)) }()
	t.Cleanup(func() { server.Close() })
	proxy := &url.URL{Scheme: "http", Host: w.caller.State.Outbound}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	request, err := http.NewRequest("POST", "http://"+w.host+"/", io.MultiReader(strings.NewReader("question")))
	if err != nil {
		t.Fatal(err)
	}
	request.Trailer = http.Header{"X-Sum": {"8"}}

	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := <-asked; got != "question 8" {
		t.Errorf("the app was asked %q", got)
	}
	if got := string(body) + " " + response.Trailer.Get("X-Sum"); got != "answer 6" {
		t.Errorf("the client was answered %q", got)
	}
}

// namesAsWritten: there are clients and servers of HTTP/1 that tell X-Name from x-name.
func namesAsWritten(t *testing.T, w way) {
	app := listen(t, w.app)
	defer app.Close()
	client := dial(t, w.caller.State.Outbound)
	send(t, client, "GET / HTTP/1.1\r\nHost: "+w.host+"\r\nX-CamelCase: 1\r\nx-small: 2\r\nX-ALL: 3\r\n\r\n")
	server := accept(t, app)
	head := readHead(t, server)
	for _, line := range []string{"X-CamelCase: 1", "x-small: 2", "X-ALL: 3"} {
		if !strings.Contains(head, "\r\n"+line+"\r\n") {
			t.Errorf("the app was not told %q:\n%s", line, head)
		}
	}
	send(t, server.Conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-CamelCase: 1\r\nx-small: 2\r\nX-ALL: 3\r\n\r\n")
	answer := readHead(t, reader{client, bufio.NewReader(client)})
	for _, line := range []string{"X-CamelCase: 1", "x-small: 2", "X-ALL: 3"} {
		if !strings.Contains(answer, "\r\n"+line+"\r\n") {
			t.Errorf("the client was not told %q:\n%s", line, answer)
		}
	}
}

func goneCancels(t *testing.T, w way) {
	cancels(t, w, func(client *net.TCPConn) { client.Close() })
}

// halfClosedCancels: in HTTP/1 nobody can tell a client that has gone from one that only says no more.
func halfClosedCancels(t *testing.T, w way) {
	cancels(t, w, func(client *net.TCPConn) { _ = client.CloseWrite() })
}

func cancels(t *testing.T, w way, leave func(client *net.TCPConn)) {
	t.Helper()
	app := listen(t, w.app)
	defer app.Close()
	client := dial(t, w.caller.State.Outbound)
	send(t, client, "GET / HTTP/1.1\r\nHost: "+w.host+"\r\n\r\n")
	server := accept(t, app)
	readHead(t, server)

	leave(client)

	_ = server.SetReadDeadline(time.Now().Add(patience))
	if n, err := server.Read(make([]byte, 1)); err == nil || n != 0 {
		t.Errorf("the app reads on: %d bytes", n)
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Error("the app is left working for a client that has gone")
	}
}

// halfOfATunnel: a client may end its side and still read the app's last words, where bytes are bytes.
func halfOfATunnel(t *testing.T, w way) {
	app := listen(t, w.bytes)
	defer app.Close()
	client := dial(t, w.caller.State.Outbound)
	send(t, client, "CONNECT "+w.bytesHost+":9000 HTTP/1.1\r\nHost: "+w.bytesHost+":9000\r\n\r\n")
	answers := reader{client, bufio.NewReader(client)}
	if head := readHead(t, answers); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		t.Fatalf("no tunnel: %s", head)
	}
	send(t, client, "\x00this is no HTTP\n")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	server := accept(t, app)
	all, err := io.ReadAll(server)
	if err != nil || string(all) != "\x00this is no HTTP\n" {
		t.Fatalf("the app reads %q (%v)", all, err)
	}
	send(t, server.Conn, "goodbye\n")
	server.Close()
	if all, err = io.ReadAll(answers); err != nil || string(all) != "goodbye\n" {
		t.Errorf("the client reads %q (%v)", all, err)
	}
}

// reader is a connection whose heads may be read without what follows them.
type reader struct {
	net.Conn
	buffered *bufio.Reader
}

func (r reader) Read(into []byte) (int, error) { return r.buffered.Read(into) }

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = connection.SetDeadline(time.Now().Add(2 * patience))
	t.Cleanup(func() { connection.Close() })
	return connection.(*net.TCPConn)
}

func accept(t *testing.T, listener net.Listener) reader {
	t.Helper()
	_ = listener.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	connection, err := listener.Accept()
	if err != nil {
		t.Fatalf("nobody calls the app: %v", err)
	}
	_ = connection.SetDeadline(time.Now().Add(2 * patience))
	t.Cleanup(func() { connection.Close() })
	return reader{connection, bufio.NewReader(connection)}
}

func send(t *testing.T, to net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatal(err)
	}
}

// readHead is the next message's lines, the empty one included.
func readHead(t *testing.T, from reader) string {
	t.Helper()
	var head strings.Builder
	for {
		line, err := from.buffered.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			t.Fatalf("a head breaks off (%v): %q", err, head.String())
		}
		if line == "\r\n" {
			return head.String()
		}
	}
}
