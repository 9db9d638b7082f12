package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 3
      containers:
      - name: web
        image: localhost/probe:1
        command: [/probe, serve, ":8080", web-v1]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
        lifecycle: {preStop: {sleep: {seconds: 2}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ipFamilyPolicy: RequireDualStack
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: client
    image: localhost/probe:1
    command: [/bin/sh, -c, "echo the client is up; exec sleep 100000"]
`

// served applies web and its client and waits until both are ready, and the Service answers.
func served(t *testing.T) (harness.Cluster, string) {
	t.Helper()
	c := harness.Kube(t)
	namespace := c.Namespace()
	c.Apply(namespace, web)
	c.RolledOut(namespace, "deployment/web", time.Minute)
	c.Wait(namespace, "pod/client", "condition=Ready", time.Minute)
	url := "http://" + c.Get(namespace, "service/web", ".spec.clusterIP")
	harness.Eventually(t, 20*time.Second, "the Service answers", func() bool {
		_, err := c.Curl(url)
		return err == nil
	})
	return c, namespace
}

func says(t *testing.T, what string, want string, output string, err error) {
	t.Helper()
	if err != nil || !strings.Contains(output, want) {
		t.Errorf("%s: %v; it says %q, not %q", what, err, output, want)
	}
}

func TestServicesAreReachedByBothFamilies(t *testing.T) { servicesAreReachedByBothFamilies(t) }

func servicesAreReachedByBothFamilies(t *testing.T) {
	c, namespace := served(t)
	client := harness.Pod{Namespace: namespace, Name: "client"}
	addresses := strings.Fields(c.Get(namespace, "service/web", ".spec.clusterIPs[0]} {.spec.clusterIPs[1]"))
	if len(addresses) != 2 || !strings.Contains(addresses[1], ":") {
		t.Fatalf("the Service has the addresses %q", addresses)
	}
	for _, url := range []string{"http://" + addresses[0], "http://[" + addresses[1] + "]"} {
		harness.Eventually(t, 20*time.Second, "both pods answer at "+url+" from a pod", func() bool {
			output, err := c.Exec(client, "/probe", "get", url, "20")
			hosts := map[string]bool{}
			for _, line := range strings.Split(output, "\n") {
				if _, rest, found := strings.Cut(line, "name=web-v1 host="); found {
					hosts[strings.Fields(rest)[0]] = true
				}
			}
			return err == nil && len(hosts) == 2
		})
		output, err := c.Curl(url)
		says(t, url+" from the node", "name=web-v1", output, err)
	}
	output, err := c.Exec(client, "/probe", "get", "http://web."+namespace+".svc.cluster.local/")
	says(t, "the Service by its name", "name=web-v1", output, err)
	output, err = c.Exec(client, "nslookup", "web."+namespace+".svc.cluster.local")
	says(t, "its name's IPv4 address", addresses[0], output, err)
	says(t, "its name's IPv6 address", addresses[1], output, err)
	output, err = c.Exec(harness.Pod{Namespace: namespace, Name: "deployment/web"}, "/probe", "get", "http://web/", "6")
	says(t, "a pod by its own Service", "name=web-v1", output, err)
}

func TestLogsExecAndPortForward(t *testing.T) {
	c, namespace := served(t)
	client := harness.Pod{Namespace: namespace, Name: "client"}
	says(t, "its log", "the client is up", c.Logs(client), nil)
	output, err := c.Exec(client, "sh", "-c", "echo out; echo err >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "exit code 3") || !strings.Contains(output, "out") || !strings.Contains(output, "err") {
		t.Errorf("a command that exits with 3: %v, and it says %q", err, output)
	}
	output, err = c.Exec(client, "ls", "/var/run/secrets/kubernetes.io/serviceaccount")
	says(t, "the service account", "token", output, err)
	output, err = c.Curl("http://" + c.Forward(namespace, "service/web", 80))
	says(t, "a forwarded port", "name=web-v1", output, err)
}

func TestAProbeHoldsTrafficBack(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace()
	c.Apply(namespace, strings.NewReplacer("replicas: 2", "replicas: 1",
		"httpGet: {path: /ready, port: 8080}", "exec: {command: [test, -e, /tmp/ready]}").Replace(web))
	harness.Eventually(t, time.Minute, "the pod runs", func() bool {
		return c.Get(namespace, "pods", ".items[?(@.metadata.labels.app==\"web\")].status.phase") == "Running"
	})
	pod := harness.Pod{Namespace: namespace, Name: c.Get(namespace, "pods", ".items[?(@.metadata.labels.app==\"web\")].metadata.name")}
	url := "http://" + c.Get(namespace, "service/web", ".spec.clusterIP")
	if output, err := c.Curl(url); err == nil {
		t.Errorf("a pod that is not ready gets traffic: %s", output)
	}
	for _, step := range []struct {
		command  string
		answered bool
	}{{"touch", true}, {"rm", false}} {
		if output, err := c.Exec(pod, step.command, "/tmp/ready"); err != nil {
			t.Fatal(output, err)
		}
		harness.Eventually(t, 30*time.Second, fmt.Sprintf("after %s /tmp/ready the Service answers: %v", step.command, step.answered), func() bool {
			_, err := c.Curl(url)
			return (err == nil) == step.answered
		})
	}

	c.Apply(namespace, `
apiVersion: v1
kind: Pod
metadata: {name: dead}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: dead
    image: localhost/probe:1
    command: [/probe, serve, ":8080", dead]
    livenessProbe: {httpGet: {path: /ready, port: 9}, periodSeconds: 1, failureThreshold: 1}
`)
	c.Wait(namespace, "pod/dead", "jsonpath={.status.containerStatuses[0].restartCount}=1", time.Minute)
}

func TestARollingUpdateLosesNoRequest(t *testing.T) {
	c, namespace := served(t)
	url := "http://" + c.Get(namespace, "service/web", ".spec.clusterIP")
	load := harness.Under(t, 5, func() error {
		_, err := c.Curl(url)
		return err
	})
	c.Kubectl("-n", namespace, "patch", "deployment/web", "--type=json", "-p",
		`[{"op": "replace", "path": "/spec/template/spec/containers/0/command/3", "value": "web-v2"}]`)
	c.RolledOut(namespace, "deployment/web", 90*time.Second)
	load.Unharmed()
	harness.Eventually(t, 20*time.Second, "only the new pods answer", func() bool {
		output, err := c.Curl(url)
		return err == nil && strings.Contains(output, "name=web-v2")
	})
}

func TestCaptureBesideANativeSidecar(t *testing.T) { captureBesideANativeSidecar(t) }

func captureBesideANativeSidecar(t *testing.T) {
	c, plain := served(t)
	client := harness.Pod{Namespace: plain, Name: "client"}
	webhook(c)
	namespace := c.Namespace("probe-injection=enabled")
	for _, kind := range []string{"nft", "legacy"} {
		said := c.Apply(namespace, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: app-%s, labels: {app: app}, annotations: {probe/iptables: %[1]s}}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: own, image: localhost/probe:1, command: [/bin/sh, -c, "exec /probe get http://web.%s/"]}
  containers:
  - name: app
    image: localhost/probe:1
    command: [/probe, serve, ":8080", app]
`, kind, plain))
		says(t, "kubectl of the webhook's warning", "Warning: the probe added its sidecar", said, nil)
	}
	for _, kind := range []string{"nft", "legacy"} {
		t.Run(kind, func(t *testing.T) {
			c := harness.Cluster{T: t}
			pod := harness.Pod{Namespace: namespace, Name: "app-" + kind, Container: "app"}
			c.Wait(namespace, "pod/"+pod.Name, "condition=Ready", time.Minute)
			if order := c.Get(namespace, "pod/"+pod.Name, ".spec.initContainers[*].name"); order != "capture outbound inbound own" {
				t.Errorf("the init containers are %s", order)
			}
			says(t, "the rules", "REDIRECT --to-ports 15001", c.Logs(harness.Pod{Namespace: namespace, Name: pod.Name, Container: "capture"}), nil)
			says(t, "the app's own init container, which the sidecar serves", "name=outbound", c.Logs(harness.Pod{Namespace: namespace, Name: pod.Name, Container: "own"}), nil)
			for i, family := range []string{"IPv4", "IPv6"} {
				service := c.Get(plain, "service/web", fmt.Sprintf(".spec.clusterIPs[%d]", i))
				output, err := c.Exec(pod, "/probe", "get", "http://"+bracketed(service))
				says(t, family+" to port 80", "name=outbound", output, err)
				address := bracketed(c.Get(namespace, "pod/"+pod.Name, fmt.Sprintf(".status.podIPs[%d].ip", i)))
				output, err = c.Exec(client, "/probe", "get", "http://"+address+":8080")
				says(t, family+" to the app's port", "name=inbound", output, err)
			}
			output, err := c.Exec(pod, "/probe", "get", "http://127.0.0.1:8080")
			says(t, "loopback", "name=app", output, err)
		})
	}
}

func bracketed(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

// webhook runs the probe's webhook behind a Service, with a certificate of its own.
func webhook(c harness.Cluster) {
	c.T.Helper()
	namespace := c.Namespace()
	folder := c.T.TempDir()
	name := "injector." + namespace + ".svc"
	key, certificate := filepath.Join(folder, "tls.key"), filepath.Join(folder, "tls.crt")
	command := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
		"-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN="+name, "-addext", "subjectAltName=DNS:"+name)
	if output, err := command.CombinedOutput(); err != nil {
		c.T.Fatalf("no certificate: %s", output)
	}
	c.Kubectl("-n", namespace, "create", "secret", "tls", "injector", "--cert", certificate, "--key", key)
	authority := shell("base64 -w0 " + certificate)
	c.T.Cleanup(func() {
		_, _ = c.Inside("", "kubectl", "delete", "mutatingwebhookconfiguration", namespace)
	})
	c.Apply(namespace, fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: injector}
spec:
  selector: {app: injector}
  ports: [{name: https, port: 443, targetPort: 8443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: injector}
spec:
  selector: {matchLabels: {app: injector}}
  template:
    metadata: {labels: {app: injector}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: injector
        image: localhost/probe:1
        command: [/probe, webhook, ":8443", /tls/tls.crt, /tls/tls.key]
        readinessProbe: {httpGet: {path: /ready, port: 8443, scheme: HTTPS}, periodSeconds: 1}
        volumeMounts: [{name: tls, mountPath: /tls, readOnly: true}]
      volumes: [{name: tls, secret: {secretName: injector}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: %[1]s}
webhooks:
- name: injector.probe.test
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  timeoutSeconds: 5
  namespaceSelector: {matchLabels: {probe-injection: enabled}}
  clientConfig: {service: {name: injector, namespace: %[1]s, path: /inject, port: 443}, caBundle: %[2]s}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods], scope: Namespaced}]
`, namespace, authority))
	c.RolledOut(namespace, "deployment/injector", time.Minute)
	url := "https://" + c.Get(namespace, "service/injector", ".spec.clusterIP") + "/ready"
	harness.Eventually(c.T, 20*time.Second, "the webhook answers by its Service", func() bool {
		_, err := c.Curl(url, "--insecure")
		return err == nil
	})
}

func TestArchivesOfImagesAreLoaded(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace()
	for format, option := range map[string]string{"docker": "-docker=true", "oci": "-docker=false"} {
		folder := t.TempDir()
		archive := filepath.Join(folder, "archive.tar")
		build := exec.Command("bash", "-ec", `
			mkdir "$1/files"
			CGO_ENABLED=0 go build -o "$1/files/" ./probe
			go run ./archive "$2" "$1/archive.tar" "bodyguard.test/$3:1" "$1/files" /probe serve :8080 "$3"`, "-", folder, option, format)
		build.Dir = filepath.Join(harness.Root, "conformance/cluster/images")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("no archive: %s", output)
		}
		output, err := script("load", archive).CombinedOutput()
		says(t, "load", "bodyguard.test/"+format+":1", string(output), err)
		c.Kubectl("-n", namespace, "run", format, "--image", "bodyguard.test/"+format+":1", "--image-pull-policy", "Never")
		c.Wait(namespace, "pod/"+format, "condition=Ready", time.Minute)
		output2, err := c.Curl("http://" + c.Get(namespace, "pod/"+format, ".status.podIP") + ":8080")
		says(t, "the loaded image", "name="+format, output2, err)
	}
}

func TestHelmIsThere(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace()
	chart := t.TempDir()
	for file, content := range map[string]string{
		"Chart.yaml":          "apiVersion: v2\nname: probe\nversion: 1.0.0\nkubeVersion: \">=1.34.0\"\n",
		"templates/pods.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {kubernetes: {{ .Capabilities.KubeVersion.Version | quote }}}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(chart, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(chart, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rendered, err := c.Inside("", "helm", "template", "ours", chart)
	says(t, "helm template", "v1.34", rendered, err)
	output, err := c.Inside("", "helm", "-n", namespace, "install", "ours", chart, "--wait")
	says(t, "helm install", "STATUS: deployed", output, err)
	says(t, "the chart's object", "v1.34", c.Get(namespace, "configmap/ours", ".data.kubernetes"), nil)
	output, err = c.Inside("", "helm", "-n", namespace, "uninstall", "ours")
	says(t, "helm uninstall", "uninstalled", output, err)
}

func TestFakeNodesBecomeReady(t *testing.T) {
	c := harness.Kube(t)
	c.Apply("default", `
apiVersion: v1
kind: Node
metadata: {name: fake, annotations: {kwok.x-k8s.io/node: fake}, labels: {kubernetes.io/os: linux}}
spec: {taints: [{key: kwok.x-k8s.io/node, value: fake, effect: NoSchedule}]}
`)
	t.Cleanup(func() { _, _ = c.Inside("", "kubectl", "delete", "node", "fake") })
	harness.Start(t, "kwok", filepath.Join(harness.Root, "conformance/cluster/kin"), "kwok",
		"--kubeconfig", filepath.Join(harness.Root, ".cache/cluster/kubeconfig"), "--manage-all-nodes=false",
		"--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", "--node-ip", "10.89.0.1")
	c.Wait("default", "node/fake", "condition=Ready", time.Minute)
}

func TestPrometheusDiscoversPods(t *testing.T) {
	c := harness.Kube(t)
	output, err := script("load", strings.TrimSpace(shell(`"$BODYGUARD_CHECKOUT/conformance/cluster/prometheus/build"`))).CombinedOutput()
	says(t, "load", "localhost/prometheus:1", string(output), err)
	namespace := c.Namespace()
	c.Apply(namespace, fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: prometheus}
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
    - job_name: pods
      kubernetes_sd_configs: [{role: pod, namespaces: {names: [%[1]s]}}]
      relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: "true"}
      - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
---
apiVersion: v1
kind: Pod
metadata: {name: prometheus, annotations: {prometheus.io/scrape: "true"}}
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
	c.Wait(namespace, "pod/prometheus", "condition=Ready", time.Minute)
	url := "http://" + c.Get(namespace, "pod/prometheus", ".status.podIP") + ":9090/api/v1/query?query=up"
	harness.Eventually(t, 30*time.Second, "the pod that asked for it is scraped", func() bool {
		answer, err := c.Curl(url)
		return err == nil && strings.Contains(answer, `"pod":"prometheus"`) && strings.Contains(answer, `,"1"]`)
	})
}
