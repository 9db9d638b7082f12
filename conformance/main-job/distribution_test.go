package mainjob

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "dev.bodyguard/conformance/harness"
)

// The bill of materials names every jar of the distribution, by its bytes, and no other.
func TestBillOfMaterialsIsWhatIsShipped(t *testing.T) {
	home := filepath.Join(Root, "distribution", "target", "bodyguard")
	text, err := os.ReadFile(filepath.Join(home, "bodyguard.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BomFormat, SpecVersion, SerialNumber string
		Components                           []struct {
			Purl     string
			Licenses []any
			Hashes   []struct{ Alg, Content string }
		}
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	if bill.BomFormat != "CycloneDX" || bill.SpecVersion == "" {
		t.Fatalf("want CycloneDX, got %q %q", bill.BomFormat, bill.SpecVersion)
	}
	if bill.SerialNumber != "" {
		t.Errorf("serial number %s: each build would have another", bill.SerialNumber)
	}

	named := map[string]string{}
	for _, component := range bill.Components {
		if !strings.HasPrefix(component.Purl, "pkg:maven/") {
			t.Errorf("no package URL of Maven: %q", component.Purl)
		}
		if len(component.Licenses) == 0 {
			t.Errorf("%s has no licence", component.Purl)
		}
		for _, hash := range component.Hashes {
			if hash.Alg == "SHA-256" {
				named[hash.Content] = component.Purl
			}
		}
	}
	jars, _ := filepath.Glob(filepath.Join(home, "lib", "*.jar"))
	more, _ := filepath.Glob(filepath.Join(home, "lib", "*", "*.jar"))
	jars = append(jars, more...)
	if len(jars) < 50 {
		t.Fatalf("%d jars in %s: is it built?", len(jars), home)
	}
	for _, jar := range jars {
		bytes, err := os.ReadFile(jar)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(bytes)
		hash := hex.EncodeToString(sum[:])
		if named[hash] == "" {
			t.Errorf("%s is shipped and not named", filepath.Base(jar))
		}
		delete(named, hash)
	}
	for _, purl := range named {
		t.Errorf("%s is named and not shipped", purl)
	}
}
