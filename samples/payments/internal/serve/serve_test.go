package serve

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestFinishesARequestInFlightWhenStopped(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stopping, stop := context.WithCancel(context.Background())
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stop()
		// The listener closes first: only then is this server known to be stopping.
		for {
			probe, err := net.DialTimeout("tcp", listener.Addr().String(), time.Second)
			if err != nil {
				break
			}
			probe.Close()
		}
		io.WriteString(w, "finished")
	})
	ended := make(chan error, 1)
	go func() { ended <- until(stopping, listener, handler) }()

	response, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)

	if err != nil || string(body) != "finished" {
		t.Errorf("got %q, %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}
