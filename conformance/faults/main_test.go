// Package faults breaks a running mesh on purpose and looks at what its callers notice.
package faults

import (
	"fmt"
	"net/http"
	"os"
	ossignal "os/signal"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(stubborn); address != "" {
		fmt.Fprintln(os.Stderr, serveStubbornly(address))
		os.Exit(1)
	}
	Main(m)
}

// What makes this binary an app that listens there and does not end when it is asked to.
const stubborn = "STUBBORN_APP_AT"

// serveStubbornly answers at once, after a second and a half on /slow, and without an end on /endless.
func serveStubbornly(address string) error {
	ossignal.Ignore(syscall.SIGTERM)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(1500 * time.Millisecond)
		}
		fmt.Fprintln(w, "done")
		for r.URL.Path == "/endless" && r.Context().Err() == nil {
			_ = http.NewResponseController(w).Flush()
			time.Sleep(100 * time.Millisecond)
			fmt.Fprintln(w, "more")
		}
	})
	return http.ListenAndServe(address, nil)
}
