package kubernetes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dev.bodyguard/conformance/harness"
)

// everyKind starts what makes pods in the ways that Jobs and Deployments do not; what it answers with holds them to their sidecars.
// The CronJob is due once, within the next two minutes, in which other tests run.
func everyKind(t *testing.T) func(t *testing.T) {
	c := harness.Kube(t)
	namespace := c.Namespace("istio-injection=enabled")
	due := time.Now().UTC().Add(70 * time.Second)
	c.Apply(namespace, fmt.Sprintf(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: stateful}
spec:
  serviceName: stateful
  selector: {matchLabels: {app: stateful}}
  template:
    metadata: {labels: {app: stateful}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: localhost/probe:1
        command: [/probe, serve, ":8080", stateful]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: "/ready?at=once", port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: stateful}
spec:
  selector: {app: stateful}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: daemon}
spec:
  selector: {matchLabels: {app: daemon}}
  template:
    metadata: {labels: {app: daemon}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: app, image: localhost/probe:1, command: [/bin/sh, -c, "until /probe get http://stateful/; do sleep 1; done; exec /probe serve :8080 daemon"]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: timed}
spec:
  schedule: "%d %d * * *"
  timeZone: Etc/UTC
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: timed}}
        spec:
          restartPolicy: OnFailure
          containers:
          - {name: app, image: localhost/probe:1, command: [/probe, get, "http://stateful/"]}
`, due.Minute(), due.Hour()))
	return func(t *testing.T) {
		c.T = t
		c.RolledOut(namespace, "statefulset/stateful", time.Minute)
		c.RolledOut(namespace, "daemonset/daemon", time.Minute)
		harness.Eventually(t, 2*time.Minute, "the CronJob's Job is complete", func() bool {
			return strings.Contains(c.Kubectl("-n", namespace, "get", "jobs", "-o",
				`jsonpath={.items[*].status.conditions[?(@.type=="Complete")].status}`), "True")
		})
		for _, app := range []string{"stateful", "daemon", "timed"} {
			names := c.Kubectl("-n", namespace, "get", "pods", "-l", "app="+app, "-o", "jsonpath={.items[*].spec.initContainers[*].name}")
			if names != "bodyguard-init bodyguard-proxy" {
				t.Errorf("init containers of %s: %s", app, names)
			}
		}
		if answer := c.Logs(harness.Pod{Namespace: namespace, Name: "daemonset/daemon", Container: "app"}); !strings.Contains(answer, "name=stateful") {
			t.Errorf("the DaemonSet's pod was answered %s", answer)
		}
		// Other tests count proxies.
		c.Kubectl("-n", namespace, "delete", "statefulset,daemonset,cronjob", "--all", "--wait=false")
	}
}
