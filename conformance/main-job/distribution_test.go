package mainjob

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// A sidecar loads its own jars and nothing of the control plane, nor a second HTTP stack such as OkHttp, which stands in the same
// `lib/`: what is on its module path is what `conf/sidecar.jars` lists, and each of these is known to be needed.
func TestASidecarsModulePathIsItsOwn(t *testing.T) {
	t.Parallel()
	home := filepath.Join(Root, "distribution", "target", "bodyguard")
	text, err := os.ReadFile(filepath.Join(home, "conf", "sidecar.jars"))
	if err != nil {
		t.Fatal(err)
	}
	known := regexp.MustCompile(`^(bodyguard-(proxy-|identity-(client|spiffe)-|machine-|telemetry-record-|xds-(client|protocol)-)|grpc-|netty-|protobuf-java-|` +
		`proto-google-common-protos-|re2j-|guava-|failureaccess-|gson-|perfmark-api-|jsr305-|(animal-sniffer|j2objc|error_prone)[-_]annotations-)`)
	var jars []string
	for _, jar := range strings.Fields(string(text)) {
		jars = append(jars, jar)
		if _, err := os.Stat(filepath.Join(home, "lib", jar)); err != nil {
			t.Errorf("%s is listed and not shipped", jar)
		}
		if !known.MatchString(jar) {
			t.Errorf("%s is none of what a sidecar is known to need", jar)
		}
	}
	if len(jars) < 20 {
		t.Fatalf("%d jars: is it built?", len(jars))
	}
	t.Log(strings.Join(jars, " "))
	path, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", NewMesh(t).Join("checkout", "v1", "a", nil).State.Pid))
	if err != nil {
		t.Fatal(err)
	}
	arguments := strings.Split(string(path), "\x00")
	at := slices.IndexFunc(arguments, func(one string) bool { return one == "-p" || one == "--module-path" })
	if at < 0 {
		t.Fatalf("a sidecar runs without a module path: %q", arguments)
	}
	var loaded []string
	for _, jar := range strings.Split(arguments[at+1], ":") {
		if jar != "" {
			loaded = append(loaded, filepath.Base(jar))
		}
	}
	slices.Sort(loaded)
	slices.Sort(jars)
	if !slices.Equal(loaded, jars) {
		t.Errorf("a sidecar runs with %v", loaded)
	}
}
