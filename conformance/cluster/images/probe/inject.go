package main

import (
	"encoding/json"
	"log"
	"net/http"
)

type object = map[string]any

// Traffic to port 80 leaves by 15001, and what comes for 8080 enters by 15006, whatever the family. The annotation
// probe/iptables says nft or legacy.
const rules = `set -e
for table in iptables-$KIND ip6tables-$KIND; do
  $table -t nat -N OUT
  $table -t nat -A OUT -m owner --uid-owner 1337 -j RETURN
  $table -t nat -A OUT -o lo -j RETURN
  $table -t nat -A OUT -p tcp --dport 80 -j REDIRECT --to-ports 15001
  $table -t nat -A OUTPUT -p tcp -j OUT
  $table -t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 15006
  $table -t nat -S
done`

// inject answers an AdmissionReview: before the pod's own init containers go one that redirects and a native sidecar.
func inject(w http.ResponseWriter, r *http.Request) {
	var review struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Request    struct {
			UID    string `json:"uid"`
			Object struct {
				Metadata struct {
					Annotations map[string]string `json:"annotations"`
				} `json:"metadata"`
				Spec struct {
					InitContainers []any `json:"initContainers"`
				} `json:"spec"`
			} `json:"object"`
		} `json:"request"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kind := review.Request.Object.Metadata.Annotations["probe/iptables"]
	if kind == "" {
		kind = "nft"
	}
	capture := object{
		"name": "capture", "image": "localhost/probe:1", "command": []string{"/bin/sh", "-c", rules},
		"env":             []object{{"name": "KIND", "value": kind}},
		"securityContext": object{"runAsUser": 0, "capabilities": object{"drop": []string{"ALL"}, "add": []string{"NET_ADMIN", "NET_RAW"}}},
	}
	containers := []any{capture, sidecar("outbound", "15001"), sidecar("inbound", "15006")}
	patch, err := json.Marshal([]object{{
		"op": "add", "path": "/spec/initContainers", "value": append(containers, review.Request.Object.Spec.InitContainers...),
	}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	err = json.NewEncoder(w).Encode(object{
		"apiVersion": review.APIVersion, "kind": review.Kind,
		"response": object{
			"uid": review.Request.UID, "allowed": true, "patchType": "JSONPatch", "patch": patch,
			"warnings": []string{"the probe added its sidecar"},
		},
	})
	log.Printf("injected %s: %v", review.Request.UID, err)
}

func sidecar(name, port string) object {
	return object{
		"name": name, "image": "localhost/probe:1", "restartPolicy": "Always",
		"command":         []string{"/probe", "serve", ":" + port, name, "500ms"},
		"securityContext": object{"runAsUser": 1337},
		"startupProbe":    object{"httpGet": object{"path": "/ready", "port": json.Number(port)}, "periodSeconds": 1, "failureThreshold": 30},
	}
}
