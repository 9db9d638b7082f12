// Command archive writes a folder as an image of one layer: archive [-docker] [-user UID] FILE NAME FOLDER ENTRYPOINT…
//
// The file is a tar that `load` takes, in the OCI layout or, by -docker, as `docker save` and Jib write it. The same folder
// makes the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"runtime"
)

type object = map[string]any

func main() {
	log.SetFlags(0)
	docker := flag.Bool("docker", false, "as docker save writes it")
	user := flag.String("user", "", "who runs the entry point")
	flag.Parse()
	if flag.NArg() < 4 {
		log.Fatal("archive [-docker] [-user UID] FILE NAME FOLDER ENTRYPOINT…")
	}
	file, name, folder, entry := flag.Arg(0), flag.Arg(1), flag.Arg(2), flag.Args()[3:]
	layer := layerOf(folder)
	config := encoded(object{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": object{
			"Entrypoint": entry, "User": *user,
			"Env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		},
		"rootfs": object{"type": "layers", "diff_ids": []string{digest(layer)}},
	})
	var files []part
	if *docker {
		configName, layerName := digest(config)[7:]+".json", digest(layer)[7:]+".tar"
		files = []part{
			{"manifest.json", encoded([]object{{"Config": configName, "RepoTags": []string{name}, "Layers": []string{layerName}}})},
			{configName, config},
			{layerName, layer},
		}
	} else {
		const kind = "application/vnd.oci.image."
		manifest := encoded(object{
			"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
			"config": described(kind+"config.v1+json", config),
			"layers": []object{described(kind+"layer.v1.tar", layer)},
		})
		named := described(kind+"manifest.v1+json", manifest)
		named["annotations"] = object{"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
		files = []part{
			{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)},
			{"index.json", encoded(object{"schemaVersion": 2, "manifests": []object{named}})},
		}
		for _, blob := range [][]byte{manifest, config, layer} {
			files = append(files, part{"blobs/sha256/" + digest(blob)[7:], blob})
		}
	}
	write(file, files)
}

// layerOf is the folder as a tar that root owns, without times.
func layerOf(folder string) []byte {
	var buffer bytes.Buffer
	layer := tar.NewWriter(&buffer)
	check(filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		within, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		*header = tar.Header{Typeflag: header.Typeflag, Name: within, Linkname: target, Size: header.Size, Mode: header.Mode}
		if err := layer.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
			return err
		}
		content, err := os.Open(path)
		if err != nil {
			return err
		}
		defer content.Close()
		_, err = io.Copy(layer, content)
		return err
	}))
	check(layer.Close())
	return buffer.Bytes()
}

type part struct {
	name    string
	content []byte
}

func write(file string, parts []part) {
	out, err := os.Create(file)
	check(err)
	archive := tar.NewWriter(out)
	for _, p := range parts {
		check(archive.WriteHeader(&tar.Header{Name: p.name, Mode: 0o644, Size: int64(len(p.content))}))
		_, err := archive.Write(p.content)
		check(err)
	}
	check(archive.Close())
	check(out.Close())
}

func described(kind string, blob []byte) object {
	return object{"mediaType": kind, "digest": digest(blob), "size": len(blob)}
}

func digest(blob []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(blob)) }

func encoded(value any) []byte {
	text, err := json.Marshal(value)
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
