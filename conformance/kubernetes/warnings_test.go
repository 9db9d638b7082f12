package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"dev.bodyguard/conformance/harness"
)

const template = `{metadata: {labels: {app: web%s}, annotations: {%s}}, spec: {restartPolicy: %s, nodeSelector: {runs: nowhere}, containers: [{name: app, image: localhost/probe:1}]}}`

// workload is one of a kind, with no pods yet where that can be.
func workload(kind, labels, annotations string) string {
	restart, version, spec := "Always", "apps/v1", "selector: {matchLabels: {app: web}}, template: %s"
	switch kind {
	case "Deployment", "ReplicaSet":
		spec = "replicas: 0, " + spec
	case "StatefulSet":
		spec = "replicas: 0, serviceName: web, " + spec
	case "Job":
		restart, version, spec = "Never", "batch/v1", "suspend: true, template: %s"
	case "CronJob":
		restart, version, spec = "Never", "batch/v1", `schedule: "0 0 1 1 *", suspend: true, jobTemplate: {spec: {template: %s}}`
	}
	pods := fmt.Sprintf(template, labels, annotations, restart)
	return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: web}\nspec: {%s}\n", version, kind, fmt.Sprintf(spec, pods))
}

// Whoever applies what makes pods reads what is ignored in them, that they will be refused, or that nobody serves their revision; the
// object stays as it was written.
func warnings(t *testing.T) {
	c := harness.Kube(t)
	asking, canary := c.Namespace("istio-injection=enabled"), c.Namespace("istio.io/rev=canary")
	const ignored = "Warning: bodyguard: sidecar.istio.io/proxyImage is ignored: names another mesh's image"
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"} {
		said := c.Apply(asking, workload(kind, "", `sidecar.istio.io/proxyImage: "other/proxy:1"`))
		if strings.Count(said, "Warning:") != 1 || !strings.Contains(said, ignored) {
			t.Errorf("%s: kubectl says %s", kind, said)
		}
	}
	t.Log(c.Apply(asking, workload("Deployment", "", `sidecar.istio.io/logLevel: debug`)))
	if kept := c.Get(asking, "deployment/web", ".spec.template.spec.initContainers"); kept != "" {
		t.Errorf("the Deployment was changed: %s", kept)
	}
	// What a controller writes nobody reads, and what changes nothing in the pods was said before.
	if said := c.Kubectl("-n", asking, "label", "deployment", "web", "team=shop"); strings.Contains(said, "Warning") {
		t.Errorf("who changes nothing in the pods is told %s", said)
	}
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: %s, annotations: {%s}}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
	for name, one := range map[string]struct{ namespace, object, said string }{
		"Service":               {asking, fmt.Sprintf(service, "told", `timeout.linkerd.io/idle: 1s, retry.linkerd.io/http: 5xx`), "Warning: bodyguard: timeout.linkerd.io/idle is ignored: "},
		"Service, all obeyed":   {asking, fmt.Sprintf(service, "obeyed", `retry.linkerd.io/http: 5xx`), ""},
		"Service of no mesh":    {asking, fmt.Sprintf(service, "plain", `example.com/owner: shop`), ""},
		"refused":               {asking, workload("Deployment", "", "sidecar.istio.io/interceptionMode: MAGIC"), "Warning: bodyguard: its pods are refused: "},
		"declines":              {asking, workload("Deployment", ", bodyguard.dev/inject: disabled", `sidecar.istio.io/logLevel: debug`), ""},
		"namespace's revision":  {canary, workload("Deployment", "", ""), "namespace " + canary + "'s label istio.io/rev=canary asks for a revision that no injector here serves"},
		"workload's revision":   {asking, workload("StatefulSet", ", istio.io/rev: old", ""), "the pod's label istio.io/rev=old asks for a revision that no injector here serves"},
		"pod's revision":        {asking, server("bare", ", istio.io/rev: old", ""), "the pod's label istio.io/rev=old asks for a revision that no injector here serves"},
		"pod of that namespace": {canary, server("bare", "", ""), "namespace " + canary + "'s label istio.io/rev=canary asks for a revision that no injector here serves"},
		"pod declines in it":    {canary, server("declines", ", bodyguard.dev/inject: disabled", ""), ""},
		"pod with its own wish": {canary, server("own", ", bodyguard.dev/inject: enabled", ""), ""},
		"mesh's own, of nobody": {system, strings.Replace(workload("CronJob", "", "linkerd.io/inject: enabled"), "name: web}", "name: asks}", 1), "pods of namespace bodyguard-system never get one"},
	} {
		t.Run(name, func(t *testing.T) {
			c.T = t
			output, err := c.Inside(one.object, "kubectl", "-n", one.namespace, "apply", "-f", "-")
			if err != nil || (one.said == "") == strings.Contains(output, "Warning") || !strings.Contains(output, one.said) {
				t.Errorf("%v: kubectl says %s", err, output)
			}
			t.Log(output)
		})
	}
	c.T = t
	c.Kubectl("-n", system, "delete", "cronjob", "asks")
	if said := c.Kubectl("-n", asking, "patch", "service", "told", "--patch", `{"spec": {"sessionAffinity": "ClientIP"}}`); strings.Contains(said, "Warning") {
		t.Errorf("who changes no annotation of a Service is told %s", said)
	}
	if said := c.Kubectl("-n", asking, "annotate", "service", "told", "balancer.linkerd.io/failure-accrual=consecutive"); strings.Count(said, "Warning") != 2 {
		t.Errorf("who adds an annotation to a Service is told %s", said)
	}

	// Where the webhook of another control plane selects that revision, it is that one's.
	const other = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: %[1]s}
webhooks:
- name: rev.namespace.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {service: {name: istiod, namespace: %[1]s}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  namespaceSelector: {matchExpressions: [{key: istio.io/rev, operator: In, values: [canary]}]}
`
	t.Cleanup(func() { _, _ = c.Inside("", "kubectl", "delete", "mutatingwebhookconfiguration", canary) })
	c.Kubectl("-n", canary, "delete", "deployment", "web")
	c.Apply("default", fmt.Sprintf(other, canary))
	if said := c.Apply(canary, workload("Deployment", "", "")); strings.Contains(said, "Warning") {
		t.Errorf("who asks for a revision that another injector serves is told %s", said)
	}
}
