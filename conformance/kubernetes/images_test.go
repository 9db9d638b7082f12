package kubernetes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// Image is an archive of an image, as `docker load` reads it.
type Image struct {
	Name   string
	Config struct {
		User       string
		Entrypoint []string
		Volumes    map[string]any
		Env        []string
	}
	// Each a tar, the lowest first.
	Layers [][]byte
}

// images are those that a cluster loads; base is below them.
func images(t *testing.T) map[string]Image {
	t.Helper()
	found := map[string]Image{}
	archives, err := filepath.Glob(filepath.Join(harness.Root, "images/[^b]*/target/*.tar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".tar")
		found[name] = image(t, name)
	}
	return found
}

func image(t *testing.T, name string) Image {
	t.Helper()
	archive := filepath.Join(harness.Root, "images", name, "target", name+".tar")
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	each(t, content, func(header *tar.Header, file io.Reader) {
		if files[header.Name], err = io.ReadAll(file); err != nil {
			t.Fatal(err)
		}
	})
	var manifest []struct {
		Config string
		Layers []string
	}
	understood(t, files["manifest.json"], &manifest)
	image := Image{Name: name}
	understood(t, files[manifest[0].Config], &struct{ Config any }{&image.Config})
	for _, layer := range manifest[0].Layers {
		unzipped, err := gzip.NewReader(bytes.NewReader(files[layer]))
		if err != nil {
			t.Fatalf("%s: %s: %v", archive, layer, err)
		}
		plain, err := io.ReadAll(unzipped)
		if err != nil {
			t.Fatalf("%s: %s: %v", archive, layer, err)
		}
		image.Layers = append(image.Layers, plain)
	}
	return image
}

func understood(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %s", err, harness.Tail(string(text), 10))
	}
}

// each tells of every member of a tar.
func each(t *testing.T, archive []byte, member func(*tar.Header, io.Reader)) {
	t.Helper()
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		member(header, reader)
	}
}

func TestImagesRunAsNobodyWhoCouldChangeThem(t *testing.T) {
	images := images(t)
	users := map[string]string{"payments": "65534:65534", "init": "0:0"} // the latter sets rules, and has a securityContext for it
	for _, name := range []string{"config", "discovery", "identity", "init", "injector", "payments", "run", "sidecar", "telemetry"} {
		image, built := images[name]
		if !built {
			t.Errorf("%s: there is no archive", name)
			continue
		}
		user := users[name]
		if user == "" {
			user = "1337:1337"
		}
		if image.Config.User != user {
			t.Errorf("%s: runs as %q, not as %s", name, image.Config.User, user)
		}
		if len(image.Config.Volumes) > 0 {
			t.Errorf("%s: declares volumes %v: what is written belongs to whoever starts it", name, image.Config.Volumes)
		}
		for _, layer := range image.Layers {
			each(t, layer, func(file *tar.Header, _ io.Reader) {
				where := "/" + strings.TrimPrefix(path.Clean(file.Name), "/")
				if file.Mode&0o6000 != 0 {
					t.Errorf("%s: %s has mode %o: whoever runs it becomes somebody else", name, where, file.Mode)
				}
				if user != "0:0" && writes(user, file) && where != "/tmp" && where != "/var/lib/bodyguard" {
					t.Errorf("%s: %s (%d:%d, mode %o) can be changed by who runs it", name, where, file.Uid, file.Gid, file.Mode)
				}
			})
		}
	}
}

// writes says whether UID:GID may write to a file.
func writes(user string, file *tar.Header) bool {
	if file.Typeflag == tar.TypeSymlink {
		return false
	}
	uid, gid, _ := strings.Cut(user, ":")
	return file.Mode&0o002 != 0 ||
		strconv.Itoa(file.Gid) == gid && file.Mode&0o020 != 0 ||
		strconv.Itoa(file.Uid) == uid && file.Mode&0o200 != 0
}

func TestSidecarMapsWhatItsTrainingLeft(t *testing.T) {
	left := []string{"app/conf/trained.args", "app/sidecar.aot"}
	image := image(t, "sidecar")
	last := len(image.Layers) - 1
	if found := files(t, image.Layers[last]); !slices.Equal(found, left) {
		t.Fatalf("the last layer has %q: either nothing was trained, or what is the same each time is not in a layer of its own", found)
	}

	root := t.TempDir()
	for _, layer := range image.Layers[:last] {
		unpack(t, layer, root)
	}
	chroot, err := exec.LookPath("chroot")
	must(t, err)
	started := func(options string) (string, string, error) {
		// By /proc the runtime finds its own libraries.
		inside := []string{"--mount", "bash", "-c", `mount --rbind /proc "$1/proc" && exec "$0" --userspec="$2" "$1" "${@:3}"`, chroot, root, image.Config.User}
		command := exec.Command("unshare", slices.Concat(inside, image.Config.Entrypoint, []string{"--help"})...)
		command.Env = image.Config.Env
		if options != "" {
			command.Env = append(slices.Clone(command.Env), "JDK_JAVA_OPTIONS="+options)
		}
		var output, complaint strings.Builder
		command.Stdout, command.Stderr = &output, &complaint
		err := command.Run()
		return output.String(), complaint.String(), err
	}

	for _, cache := range []struct {
		is     string
		comes  func()
		mapped bool
	}{
		{"not there", func() {}, false},
		{"whole", func() { unpack(t, image.Layers[last], root) }, true},
		{"of other jars", func() { touchJars(t, root) }, false},
		{"cut off", func() { must(t, os.Truncate(filepath.Join(root, "app/sidecar.aot"), 1000)) }, false},
	} {
		cache.comes()
		if output, complaint, err := started(""); err != nil || complaint != "" || !strings.HasPrefix(output, "usage: ") {
			t.Errorf("with a cache that is %s: %v, it says %q, then %q", cache.is, err, complaint, output)
		}
		if cache.is == "not there" {
			continue
		}
		if _, complaint, err := started("-XX:AOTMode=on"); (err == nil) != cache.mapped {
			t.Errorf("a cache that is %s is mapped: %t; %v: %s", cache.is, err == nil, err, complaint)
		}
	}
}

// files are those of a layer, in order, without folders.
func files(t *testing.T, layer []byte) []string {
	t.Helper()
	var names []string
	each(t, layer, func(file *tar.Header, _ io.Reader) {
		if file.Typeflag != tar.TypeDir {
			names = append(names, path.Clean(file.Name))
		}
	})
	slices.Sort(names)
	return names
}

func unpack(t *testing.T, layer []byte, root string) {
	t.Helper()
	command := exec.Command("tar", "-xp", "-C", root)
	command.Stdin = bytes.NewReader(layer)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// touchJars makes every jar of an unpacked image another one.
func touchJars(t *testing.T, root string) {
	t.Helper()
	jars, err := filepath.Glob(filepath.Join(root, "app/libs/*.jar"))
	must(t, err)
	if len(jars) == 0 {
		t.Fatalf("no jars in %s/app/libs", root)
	}
	for _, jar := range jars {
		must(t, os.Chtimes(jar, time.Now(), time.Now()))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
