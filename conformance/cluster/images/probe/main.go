// Command probe is what the suites' pods run where they need no product: a server that tells how it was reached, a client
// that opens a connection for every request, and an admission webhook that adds a sidecar.
//
//	probe serve ADDRESS NAME [DELAY]   answers /ready with 503 until the delay has passed
//	probe servetls ADDRESS NAME        the same by HTTPS, with a certificate that nobody knows
//	probe get URL [COUNT]              exits 1 where a request fails or is not answered with 200
//	probe webhook ADDRESS CERTIFICATE KEY
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	switch argument(1, "") {
	case "serve":
		delay, err := time.ParseDuration(argument(4, "0s"))
		if err != nil {
			log.Fatal(err)
		}
		handle(argument(3, "probe"), delay)
		log.Fatal(http.ListenAndServe(argument(2, ":8080"), nil))
	case "servetls":
		handle(argument(3, "probe"), 0)
		server := http.Server{Addr: argument(2, ":8443"), TLSConfig: &tls.Config{Certificates: []tls.Certificate{ownCertificate()}}}
		log.Fatal(server.ListenAndServeTLS("", ""))
	case "get":
		count, err := strconv.Atoi(argument(3, "1"))
		if err != nil {
			log.Fatal(err)
		}
		get(argument(2, ""), count)
	case "webhook":
		http.HandleFunc("/inject", inject)
		http.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
		log.Fatal(http.ListenAndServeTLS(argument(2, ":8443"), argument(3, ""), argument(4, ""), nil))
	default:
		log.Fatalf("probe: no command %q", argument(1, ""))
	}
}

func argument(i int, otherwise string) string {
	if len(os.Args) > i {
		return os.Args[i]
	}
	return otherwise
}

func handle(name string, delay time.Duration) {
	host, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	begun := time.Now()
	http.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) {
		if time.Since(begun) < delay {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s from %s", r.Method, r.URL, r.RemoteAddr)
		fmt.Fprintf(w, "name=%s host=%s local=%s peer=%s asked=%s\n", name, host, r.Context().Value(http.LocalAddrContextKey), r.RemoteAddr, r.Host)
	})
	log.Printf("%s serves", name)
}

func ownCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func get(url string, count int) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for range count {
		response, err := client.Get(url)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := io.Copy(os.Stdout, response.Body); err != nil {
			log.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			log.Fatal(response.Status)
		}
	}
}
