// Command checkout sells things, and lets payment-service take the money. It calls it by plain name over plain HTTP
// and knows nothing of any mesh.
package main

import (
	"flag"
	"log"
	"net/http"

	"payments/internal/serve"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8090", "address to listen on, host:port")
	payments := flag.String("payments", "http://payment-service", "where payments are taken")
	flag.Parse()

	log.SetPrefix("checkout: ")
	checkout := NewCheckout(*payments, http.DefaultTransport.(*http.Transport))
	if err := serve.UntilStopped(*addr, checkout.Routes()); err != nil {
		log.Fatal(err)
	}
}
