package kubernetes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// A Prometheus with the discovery of pods that everybody has finds every pod of ours by its annotations. It is built from Prometheus'
// own sources: Debian's package has no discovery of Kubernetes at all. Its namespace has the label that lets it in where
// NetworkPolicies are enforced.
func prometheus(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("bodyguard.dev/monitoring=true")
	meshed := c.Namespace("istio-injection=enabled")
	c.Apply(meshed, server("web", "", ""))
	c.Apply(namespace, fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: prometheus-%[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: %[1]s}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data:
  prometheus.yml: |
    global: {scrape_interval: 1s}
    scrape_configs:
    - job_name: kubernetes-pods
      kubernetes_sd_configs: [{role: pod}]
      relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: "true"}
      - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], action: replace, target_label: __metrics_path__, regex: (.+)}
      - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, __meta_kubernetes_pod_ip]
        action: replace
        regex: (\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4})
        replacement: '[$2]:$1'
        target_label: __address__
      - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, __meta_kubernetes_pod_ip]
        action: replace
        regex: (\d+);((([0-9]+?)(\.|$)){4})
        replacement: $2:$1
        target_label: __address__
      - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
      - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
---
apiVersion: v1
kind: Pod
metadata: {name: prometheus}
spec:
  serviceAccountName: prometheus
  containers:
  - name: prometheus
    image: localhost/prometheus:1
    args: [--config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/data]
    ports: [{containerPort: 9090}]
    readinessProbe: {httpGet: {path: /-/ready, port: 9090}, periodSeconds: 1}
    volumeMounts: [{name: config, mountPath: /etc/prometheus}, {name: data, mountPath: /data}]
  volumes: [{name: config, configMap: {name: prometheus}}, {name: data, emptyDir: {}}]
`, namespace))
	t.Cleanup(func() { _, _ = c.Inside("", "kubectl", "delete", "clusterrolebinding", "prometheus-"+namespace) })
	c.Wait(namespace, "pod/prometheus", "condition=Ready", time.Minute)
	c.Wait(meshed, "pod/web", "condition=Ready", time.Minute)
	url := "http://" + c.Get(namespace, "pod/prometheus", ".status.podIP") + ":9090/api/v1/query?query=up"
	wanted := []string{`"pod":"web"`}
	for _, service := range services {
		wanted = append(wanted, `"pod":"bodyguard-`+service)
	}
	var answer string
	harness.Eventually(t, 30*time.Second, "all of them are scraped, and every pod that asks for it", func() bool {
		pods := wanted
		for _, in := range []string{system, meshed} {
			for _, pod := range strings.Fields(c.Get(in, "pods", `.items[?(@.metadata.annotations.prometheus\.io/scrape=="true")].metadata.name`)) {
				pods = append(pods, `"pod":"`+pod+`"`)
			}
		}
		answer, _ = c.Curl(url)
		for _, pod := range pods {
			if !strings.Contains(answer, pod) {
				return false
			}
		}
		return len(pods) > len(wanted)+len(services) && !strings.Contains(answer, `,"0"]`)
	})
	t.Log(answer)
}
