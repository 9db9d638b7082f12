package mainjob

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
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
		"identity", "fetch", "--state", m.State, "--service", "checkout", "--out", out, "--ttl", "30s")
	fetching.Says(`sa/checkout until .* in `, 30*time.Second)
	first := certificateIn(t, out)

	mount(file)
	// Due after 20 s.
	t.Log(fetching.Says(`(?m)^.* the new certificate of \S+ cannot be written to `+out+`: .*; the one written before is good until .*$`, 28*time.Second))
	mount(folder)
	t.Log(fetching.Says(`(?m)^.* the new certificate of \S+ is in `+out+` now, good until .*$`, 5*time.Second))

	if left := time.Until(first.NotAfter); left < 0 {
		t.Errorf("the one written before expired %v ago", -left)
	}
	if now := certificateIn(t, out); !now.NotAfter.After(first.NotAfter) {
		t.Errorf("the folder holds one until %v, as before", now.NotAfter)
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
