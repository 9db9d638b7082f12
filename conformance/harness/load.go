package harness

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Load is a steady stream of requests, begun at a fixed rate however long their answers take.
type Load struct {
	t        *testing.T
	end      chan struct{}
	running  sync.WaitGroup
	sent     atomic.Int64
	mu       sync.Mutex
	failures []string
	longest  time.Duration
}

// Under begins a load of so many requests a second; one that returns an error has failed.
func Under(t *testing.T, rate int, request func() error) *Load {
	t.Helper()
	l := &Load{t: t, end: make(chan struct{})}
	l.running.Add(1)
	go func() {
		defer l.running.Done()
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for {
			select {
			case <-l.end:
				return
			case <-tick.C:
			}
			l.running.Add(1)
			go func() {
				defer l.running.Done()
				n, begun := l.sent.Add(1), time.Now()
				err := request()
				l.mu.Lock()
				defer l.mu.Unlock()
				l.longest = max(l.longest, time.Since(begun))
				if err != nil {
					l.failures = append(l.failures, fmt.Sprintf("request %d, begun %s, after %v: %v",
						n, begun.Format("15:04:05.000"), time.Since(begun).Round(time.Millisecond), err))
				}
			}()
		}
	}()
	t.Cleanup(func() { l.stop() })
	return l
}

func (l *Load) stop() {
	select {
	case <-l.end:
	default:
		close(l.end)
	}
	l.running.Wait()
}

// Sent is how many have begun so far.
func (l *Load) Sent() int64 { return l.sent.Load() }

// Failed is how many have failed so far.
func (l *Load) Failed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.failures)
}

// Unharmed ends the load, waits for every answer, and fails the test where a request failed.
func (l *Load) Unharmed() {
	l.t.Helper()
	l.stop()
	l.t.Logf("%d requests, %d failed, the longest took %v", l.sent.Load(), len(l.failures), l.longest.Round(time.Millisecond))
	for i, failure := range l.failures {
		if i == 5 {
			l.t.Errorf("and %d more", len(l.failures)-i)
			break
		}
		l.t.Error(failure)
	}
}

// Paid is a request that fails where checkout does not answer 200.
func (w *Workload) Paid() error {
	status, got, err := w.Buy(Outside, "GET")
	if err == nil && status != 200 {
		err = fmt.Errorf("status %d: %s", status, got.Error)
	}
	return err
}
