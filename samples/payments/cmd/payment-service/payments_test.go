package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func serving(t *testing.T, faults Faults) (*httptest.Server, *Payments) {
	t.Helper()
	payments := NewPayments("v2", faults, time.Now)
	server := httptest.NewServer(payments.Routes())
	t.Cleanup(server.Close)
	return server, payments
}

// eventually waits for a condition; it fails the test after ten seconds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

func TestAnswersWithItsVersion(t *testing.T) {
	server, _ := serving(t, Faults{})

	response, err := http.Post(server.URL+"/payments/42", "text/plain", strings.NewReader("10 EUR"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got Payment
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}

	want := Payment{Service: "payment-service", Version: "v2", Payment: "42", Method: "POST", Bytes: 6}
	if response.StatusCode != 200 || got != want {
		t.Errorf("got %d %+v, want 200 %+v", response.StatusCode, got, want)
	}
}

func TestFailsEveryNthRequest(t *testing.T) {
	server, payments := serving(t, Faults{FailEvery: 3})

	var statuses []int
	for range 6 {
		response, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		statuses = append(statuses, response.StatusCode)
	}

	want := []int{200, 200, 503, 200, 200, 503}
	for i := range want {
		if statuses[i] != want[i] {
			t.Fatalf("got %v, want %v", statuses, want)
		}
	}
	if failed := payments.stats.Snapshot().Failed; failed != 2 {
		t.Errorf("counted %d failures, want 2", failed)
	}
}

func TestEndsItsWorkWhenTheCallerGivesUp(t *testing.T) {
	for name, faults := range map[string]Faults{
		"hanging": {Hang: true},
		"waiting": {Delay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			server, payments := serving(t, faults)
			ctx, giveUp := context.WithCancel(context.Background())
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("10 EUR"))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for payments.stats.Snapshot().Active == 0 {
					time.Sleep(time.Millisecond)
				}
				giveUp()
			}()

			_, err = http.DefaultClient.Do(request)

			if err == nil {
				t.Fatal("answered")
			}
			eventually(t, "the cancelled request is counted", func() bool {
				now := payments.stats.Snapshot()
				return now.Cancelled == 1 && now.Active == 0
			})
		})
	}
}

func TestHangsOnTheFirstRequestsOnly(t *testing.T) {
	server, payments := serving(t, Faults{HangFirst: 1})
	ctx, giveUp := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer giveUp()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}

	_, first := http.DefaultClient.Do(request)
	response, second := http.Get(server.URL)

	if first == nil {
		t.Error("the first request was answered")
	}
	if second != nil {
		t.Fatal(second)
	}
	response.Body.Close()
	eventually(t, "both requests ended", func() bool { return payments.stats.Snapshot().Active == 0 })
}

func TestCountsWhatItServedButNotWhoLooks(t *testing.T) {
	server, _ := serving(t, Faults{})
	for _, method := range []string{"GET", "POST", "GET"} {
		request, err := http.NewRequest(method, server.URL, strings.NewReader("abc"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}

	response, err := http.Get(server.URL + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got Snapshot
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}

	if got.Requests != 3 || got.ByMethod["GET"] != 2 || got.ByMethod["POST"] != 1 || got.Bytes != 9 || got.Cancelled != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestKnowsItsLongestRequestWhileItStillRuns(t *testing.T) {
	now := time.Unix(0, 0)
	stats := newStats(func() time.Time { return now })
	request := httptest.NewRequest(http.MethodGet, "/", nil)

	running := stats.begin(request)
	now = now.Add(7 * time.Second)
	while := stats.Snapshot().LongestMillis
	running.end()
	now = now.Add(time.Hour)

	if after := stats.Snapshot().LongestMillis; while != 7000 || after != 7000 {
		t.Errorf("longest %d ms while running and %d ms after, want 7000 for both", while, after)
	}
}
