package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"sync/atomic"
	"time"
)

// Faults are the ways in which this service was asked to misbehave.
type Faults struct {
	FailEvery int64
	Delay     time.Duration
	Hang      bool
	HangFirst int64
}

// Payments answers payment requests and counts what became of them.
type Payments struct {
	version  string
	faults   Faults
	received atomic.Int64
	stats    *Stats
}

// NewPayments makes a service of the given version.
func NewPayments(version string, faults Faults, now func() time.Time) *Payments {
	return &Payments{version: version, faults: faults, stats: newStats(now)}
}

// Routes is all this service answers: payments, and for whoever operates or tests it /healthz and /stats.
func (p *Payments) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, p.stats.Snapshot()) })
	mux.HandleFunc("/", p.HandlePayment)
	return mux
}

// Payment is the answer to a payment that was taken.
type Payment struct {
	Service string `json:"service"`
	Version string `json:"version"`
	Payment string `json:"payment"`
	Method  string `json:"method"`
	// Bytes is the size of the body that came with the request.
	Bytes int64 `json:"bytes"`
}

// Failure is the answer to a payment that was not taken.
type Failure struct {
	Service string `json:"service"`
	Version string `json:"version"`
	Error   string `json:"error"`
}

// HandlePayment takes one payment. Its work ends when the request's context does.
func (p *Payments) HandlePayment(w http.ResponseWriter, r *http.Request) {
	number := p.received.Add(1)
	exchange := p.stats.begin(r)
	defer exchange.end()

	size, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		exchange.cancelled = true
		return
	}
	exchange.bytes = size
	if p.faults.Hang || number <= p.faults.HangFirst {
		<-r.Context().Done()
		exchange.cancelled = true
		return
	}
	if p.faults.Delay > 0 {
		timer := time.NewTimer(p.faults.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			exchange.cancelled = true
			return
		}
	}
	if p.faults.FailEvery > 0 && number%p.faults.FailEvery == 0 {
		exchange.failed = true
		answer(w, http.StatusServiceUnavailable, Failure{"payment-service", p.version, "the bank did not answer"})
		return
	}
	answer(w, http.StatusOK, Payment{"payment-service", p.version, path.Base(r.URL.Path), r.Method, size})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller who is gone needs no answer.
	_ = json.NewEncoder(w).Encode(body)
}
