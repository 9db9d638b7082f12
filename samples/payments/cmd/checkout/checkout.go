package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// How long checkout waits for a payment, retries on the way included.
const patience = 5 * time.Second

// The largest answer of payment-service that checkout reads.
const largestAnswer = 1 << 20

// What a payment is told of the purchase; the last two are W3C Trace Context, by which both are one trace.
var passedOn = []string{"Content-Type", "Idempotency-Key", "Traceparent", "Tracestate"}

// Checkout answers every request with the outcome of one call to the payment service.
type Checkout struct {
	payments string
	client   *http.Client
}

// NewCheckout makes a checkout that pays at the given base URL.
func NewCheckout(payments string, transport *http.Transport) *Checkout {
	transport = transport.Clone()
	// Go keeps two idle connections per host: too few for the callers we have at once.
	transport.MaxIdleConnsPerHost = 256
	transport.MaxIdleConns = 256
	return &Checkout{
		payments: strings.TrimSuffix(payments, "/"),
		client:   &http.Client{Transport: transport, Timeout: patience},
	}
}

// Routes is all this service answers.
func (c *Checkout) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/", c.HandleCheckout)
	return mux
}

// Receipt is the answer to a purchase. It names the version of the payment service that took the money.
type Receipt struct {
	Service        string          `json:"service"`
	PaymentVersion string          `json:"paymentVersion,omitempty"`
	Payment        json.RawMessage `json:"payment,omitempty"`
	Error          string          `json:"error,omitempty"`
}

// HandleCheckout pays with the method, path and body it was called with, and answers with the status it got.
func (c *Checkout) HandleCheckout(w http.ResponseWriter, r *http.Request) {
	status, body, err := c.CallService(r.Context(), r)
	if r.Context().Err() != nil {
		return // our own caller is gone
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		status, receipt := http.StatusBadGateway, Receipt{Service: "checkout", Error: err.Error()}
		var failure *url.Error
		if errors.As(err, &failure) && failure.Timeout() {
			status = http.StatusGatewayTimeout
		}
		reply(w, status, receipt)
		return
	}
	reply(w, status, receiptOf(status, body))
}

// CallService calls the payment service by its plain name, for as long as ctx lives and five seconds at most.
func (c *Checkout) CallService(ctx context.Context, purchase *http.Request) (int, []byte, error) {
	target := c.payments + purchase.URL.RequestURI()
	request, err := http.NewRequestWithContext(ctx, purchase.Method, target, purchase.Body)
	if err != nil {
		return 0, nil, err
	}
	request.ContentLength = purchase.ContentLength
	if request.ContentLength == 0 {
		request.Body = http.NoBody
	}
	for _, name := range passedOn {
		for _, value := range purchase.Header.Values(name) {
			request.Header.Add(name, value)
		}
	}
	response, err := c.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	return response.StatusCode, body, err
}

func receiptOf(status int, body []byte) Receipt {
	var payment struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(body, &payment); err != nil {
		return Receipt{
			Service: "checkout",
			Error:   fmt.Sprintf("payment-service answered %d: %s", status, bytes.TrimSpace(body)),
		}
	}
	return Receipt{Service: "checkout", PaymentVersion: payment.Version, Payment: body}
}

func reply(w http.ResponseWriter, status int, receipt Receipt) {
	w.WriteHeader(status)
	// A caller who is gone needs no answer.
	_ = json.NewEncoder(w).Encode(receipt)
}
