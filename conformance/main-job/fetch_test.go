package mainjob

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// A renewed certificate that cannot be written is in the folder soon after the folder is back: without waiting for the next
// renewal, before which the one written before expires.
func TestFetchWritesAgainWhatItCouldNot(t *testing.T) {
	t.Parallel()
	m := NewMesh(t)
	disk := t.TempDir()
	file := filepath.Join(disk, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(disk, "folder")
	mounted := filepath.Join(t.TempDir(), "mounted")
	mount := func(what string) {
		t.Helper()
		if err := os.Symlink(what, mounted+".next"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(mounted+".next", mounted); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(folder)
	out := filepath.Join(mounted, "out")
	fetching := Start(t, "identity fetch", filepath.Join(Root, "bodyguard"),
		"identity", "fetch", "--state", m.State, "--service", "checkout", "--out", out, "--ttl", "60s")
	fetching.Says(`sa/checkout until .* in `, 60*time.Second)
	first := certificateIn(t, out)

	mount(file)
	// Due after 40 s, give or take a little.
	t.Log(fetching.Says(`(?m)^.* the new certificate of \S+ cannot be written to `+out+`: .*; the one written before is good until .*$`, 58*time.Second))
	mount(folder)
	t.Log(fetching.Says(`(?m)^.* the new certificate of \S+ is in `+out+` now, good until .*$`, 10*time.Second))

	if left := time.Until(first.NotAfter); left < 0 {
		t.Errorf("the one written before expired %v ago", -left)
	}
	if now := certificateIn(t, out); !now.NotAfter.After(first.NotAfter) {
		t.Errorf("the folder holds one until %v, as before", now.NotAfter)
	}
}

// Where identity is a process of its own nothing in the state folder says where: whoever is not told is told what is missing,
// and what to say. With the certificate that comes then config is known by names and addresses of loopback, too, which gRPC's
// own clients check.
func TestFetchFromServicesApart(t *testing.T) {
	t.Parallel()
	m := NewMeshApart(t)
	file := filepath.Join(m.State, "control-plane.json")
	// Whoever runs the services need not write it.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	command := []string{filepath.Join(Root, "bodyguard"), "identity", "fetch", "--service", "checkout", "--out", out, "--once"}

	lost := StartWith(t, "identity fetch", []string{"BODYGUARD_STATE=" + m.State}, command...)
	t.Log(lost.Says(`(?m)^.* no new certificate: there is no `+file+`, which .bodyguard run. writes while it runs; start that, or say where identity is by --identity or BODYGUARD_IDENTITY .*$`, 20*time.Second))
	lost.Kill()
	for _, asked := range []string{"status", "check"} {
		output, _ := m.Asked(asked)
		if want := "there is no " + file + ", which `bodyguard run -f DIR --state " + m.State + "` writes while it runs. Services that are processes of their own"; !strings.Contains(output, want) {
			t.Errorf("%s does not say %q:\n%s", asked, want, output)
		}
	}

	told := StartWith(t, "identity fetch", []string{"BODYGUARD_STATE=" + m.State, "BODYGUARD_IDENTITY=" + m.At("identity", "identity")}, command...)
	t.Log(told.Says(`sa/checkout until .* in `, 30*time.Second))

	roots := x509.NewCertPool()
	content, err := os.ReadFile(filepath.Join(out, "root.pem"))
	if err != nil || !roots.AppendCertsFromPEM(content) {
		t.Fatalf("no roots: %v", err)
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(out, "cert.pem"), filepath.Join(out, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		connection, err := tls.Dial("tcp", m.At("config", "xds"), &tls.Config{
			RootCAs: roots, Certificates: []tls.Certificate{own}, ServerName: name, NextProtos: []string{"h2"}})
		if err != nil {
			t.Errorf("config is not known as %s: %v", name, err)
			continue
		}
		_ = connection.Close()
	}
}

func certificateIn(t *testing.T, out string) *x509.Certificate {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(out, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
