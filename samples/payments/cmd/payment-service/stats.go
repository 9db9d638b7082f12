package main

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// Snapshot is what this service has done so far.
type Snapshot struct {
	Requests  int64            `json:"requests"`
	ByMethod  map[string]int64 `json:"byMethod"`
	Failed    int64            `json:"failed"`
	Cancelled int64            `json:"cancelled"`
	Active    int              `json:"active"`
	Bytes     int64            `json:"bytes"`
	// LongestMillis is how long the work of one request lasted at most, those still active included.
	LongestMillis int64 `json:"longestMillis"`
}

// Stats counts requests from their first byte to the end of their work.
type Stats struct {
	now    func() time.Time
	mu     sync.Mutex
	done   Snapshot
	active map[*exchange]struct{}
}

type exchange struct {
	stats     *Stats
	started   time.Time
	bytes     int64
	failed    bool
	cancelled bool
}

func newStats(now func() time.Time) *Stats {
	return &Stats{now: now, done: Snapshot{ByMethod: map[string]int64{}}, active: map[*exchange]struct{}{}}
}

func (s *Stats) begin(r *http.Request) *exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &exchange{stats: s, started: s.now()}
	s.active[e] = struct{}{}
	s.done.Requests++
	s.done.ByMethod[r.Method]++
	return e
}

func (e *exchange) end() {
	s := e.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, e)
	s.done.Bytes += e.bytes
	if e.failed {
		s.done.Failed++
	}
	if e.cancelled {
		s.done.Cancelled++
	}
	s.done.LongestMillis = max(s.done.LongestMillis, s.now().Sub(e.started).Milliseconds())
}

// Snapshot is a copy of the counts at this moment.
func (s *Stats) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.done
	now.ByMethod = maps.Clone(s.done.ByMethod)
	now.Active = len(s.active)
	for e := range s.active {
		now.LongestMillis = max(now.LongestMillis, s.now().Sub(e.started).Milliseconds())
	}
	return now
}
