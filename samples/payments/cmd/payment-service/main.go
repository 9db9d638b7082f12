// Command payment-service takes payments. It knows nothing of any mesh: it is what a mesh is tried on.
// Its flags make it misbehave in the ways a mesh is there for.
package main

import (
	"flag"
	"log"
	"time"

	"payments/internal/serve"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on, host:port")
	version := flag.String("version", "v1", "version named in every answer")
	var faults Faults
	flag.Int64Var(&faults.FailEvery, "fail-every", 0, "answer every `n`-th request with 503 (0: never)")
	flag.DurationVar(&faults.Delay, "delay", 0, "wait this long before each answer")
	flag.BoolVar(&faults.Hang, "hang", false, "never answer: hang until the caller gives up")
	flag.Int64Var(&faults.HangFirst, "hang-first", 0, "hang on the first `n` requests, then answer")
	flag.Parse()

	log.SetPrefix("payment-service " + *version + ": ")
	payments := NewPayments(*version, faults, time.Now)
	if err := serve.UntilStopped(*addr, payments.Routes()); err != nil {
		log.Fatal(err)
	}
}
