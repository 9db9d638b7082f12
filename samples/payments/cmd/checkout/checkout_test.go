package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func checkoutBefore(t *testing.T, payments http.HandlerFunc) *httptest.Server {
	t.Helper()
	upstream := httptest.NewServer(payments)
	t.Cleanup(upstream.Close)
	server := httptest.NewServer(NewCheckout(upstream.URL, &http.Transport{}).Routes())
	t.Cleanup(server.Close)
	return server
}

func read(t *testing.T, response *http.Response, err error) Receipt {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var receipt Receipt
	if err := json.NewDecoder(response.Body).Decode(&receipt); err != nil {
		t.Fatal(err)
	}
	return receipt
}

func TestNamesTheVersionThatTookTheMoney(t *testing.T) {
	checkout := checkoutBefore(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"service":"payment-service","version":"v2"}`)
	})

	response, err := http.Get(checkout.URL)

	if receipt := read(t, response, err); receipt.PaymentVersion != "v2" || response.StatusCode != 200 {
		t.Errorf("got %d %+v", response.StatusCode, receipt)
	}
}

func TestPassesMethodPathBodyAndIdempotencyKey(t *testing.T) {
	var method, path, key string
	var body []byte
	checkout := checkoutBefore(t, func(w http.ResponseWriter, r *http.Request) {
		method, path, key = r.Method, r.URL.RequestURI(), r.Header.Get("Idempotency-Key")
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, `{"version":"v1"}`)
	})
	request, err := http.NewRequest(http.MethodPost, checkout.URL+"/payments/7?fast=1", strings.NewReader("10 EUR"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Idempotency-Key", "k")

	response, err := http.DefaultClient.Do(request)

	read(t, response, err)
	if method != "POST" || path != "/payments/7?fast=1" || key != "k" || string(body) != "10 EUR" {
		t.Errorf("payment-service got %s %s key=%q body=%q", method, path, key, body)
	}
}

func TestPassesTraceContextOnAndNothingElse(t *testing.T) {
	var got http.Header
	checkout := checkoutBefore(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		io.WriteString(w, `{"version":"v1"}`)
	})
	request, err := http.NewRequest(http.MethodGet, checkout.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	request.Header = http.Header{"Traceparent": {parent}, "Tracestate": {"a=1", "b=2"}, "Cookie": {"c=3"}}

	response, err := http.DefaultClient.Do(request)

	read(t, response, err)
	if got.Get("Traceparent") != parent || !slices.Equal(got["Tracestate"], []string{"a=1", "b=2"}) || got.Get("Cookie") != "" {
		t.Errorf("payment-service got %v", got)
	}
}

func TestPassesTheStatusAndTheSentenceOfAFailure(t *testing.T) {
	checkout := checkoutBefore(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no healthy endpoint", http.StatusServiceUnavailable)
	})

	response, err := http.Get(checkout.URL)

	receipt := read(t, response, err)
	if response.StatusCode != 503 || receipt.Error != "payment-service answered 503: no healthy endpoint" {
		t.Errorf("got %d %+v", response.StatusCode, receipt)
	}
}

func TestAnswersBadGatewayWhenNobodyTakesTheMoney(t *testing.T) {
	server := httptest.NewServer(NewCheckout("http://127.0.0.1:1", &http.Transport{}).Routes())
	defer server.Close()

	response, err := http.Get(server.URL)

	if receipt := read(t, response, err); response.StatusCode != 502 || receipt.Error == "" {
		t.Errorf("got %d %+v", response.StatusCode, receipt)
	}
}

func TestGivesUpWhenItsOwnCallerDoes(t *testing.T) {
	ctx, giveUp := context.WithCancel(context.Background())
	ended := make(chan struct{})
	checkout := checkoutBefore(t, func(w http.ResponseWriter, r *http.Request) {
		giveUp()
		<-r.Context().Done()
		close(ended)
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, checkout.URL, nil)
	if err != nil {
		t.Fatal(err)
	}

	_, err = http.DefaultClient.Do(request)

	if err == nil {
		t.Fatal("answered")
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("payment-service went on working for nobody")
	}
}
