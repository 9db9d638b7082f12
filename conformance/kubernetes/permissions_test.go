package kubernetes

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dev.bodyguard/conformance/harness"
)

// permissions: what each service's account may do is what it is for, by the API server's own answers. Whoever has taken over one
// of them has no more.
func permissions(t *testing.T) {
	c := harness.Kube(t)
	var asked []string
	allowed := map[string]bool{}
	ask := func(may bool, account string, questions ...string) {
		for _, question := range questions {
			key := account + ": " + question
			asked = append(asked, key)
			allowed[key] = may
		}
	}
	ask(true, "identity",
		"create tokenreviews.authentication.k8s.io", "watch namespaces", "create configmaps in default",
		"patch configmaps/bodyguard-root in default", "get secrets/bodyguard-ca in "+system)
	ask(false, "identity",
		"get secrets/bodyguard-ca in default", "get secrets/another in "+system, "list secrets in "+system, "delete secrets/bodyguard-ca in "+system,
		"patch configmaps/another in default", "list pods", "create pods in "+system)
	ask(true, "discovery",
		"list pods", "watch endpointslices.discovery.k8s.io", "watch virtualservices.networking.istio.io",
		"update virtualservices.networking.istio.io/status", "update httproutes.gateway.networking.k8s.io/status")
	ask(false, "discovery",
		"update virtualservices.networking.istio.io", "delete authorizationpolicies.security.istio.io", "patch pods in default",
		"create pods in default", "list secrets in default", "list configmaps in default")
	ask(true, "injector",
		"get namespaces", "patch mutatingwebhookconfigurations.admissionregistration.k8s.io/bodyguard-injector-default")
	ask(false, "injector",
		"patch mutatingwebhookconfigurations.admissionregistration.k8s.io/another", "create mutatingwebhookconfigurations.admissionregistration.k8s.io",
		"list pods", "create pods in default", "create tokenreviews.authentication.k8s.io")
	for _, account := range []string{"config", "telemetry"} {
		ask(false, account, "get namespaces", "list pods", "list services", "watch virtualservices.networking.istio.io", "list configmaps in "+system)
	}
	for _, account := range services {
		ask(false, account,
			"* *", "list secrets", "create serviceaccounts/token in default", "create pods/exec in default", "get nodes/proxy",
			"create clusterrolebindings.rbac.authorization.k8s.io", "impersonate users", "escalate clusterroles.rbac.authorization.k8s.io")
	}

	var reviews strings.Builder
	for _, key := range asked {
		reviews.WriteString(review(key))
	}
	told, err := c.Inside(reviews.String(), "kubectl", "create", "-f", "-", "-o", "jsonpath={.status.allowed}{'\\n'}")
	answers := strings.Fields(told)
	if err != nil || len(answers) != len(asked) {
		t.Fatalf("%d answers to %d questions: %v\n%s", len(answers), len(asked), err, told)
	}
	for i, key := range asked {
		if may := answers[i] == "true"; may != allowed[key] {
			t.Errorf("%s: may it? %t, wanted %t", key, may, allowed[key])
		}
	}
}

// review asks the API server for "ACCOUNT: VERB RESOURCE[.GROUP][/NAME or /SUBRESOURCE] [in NAMESPACE]".
func review(question string) string {
	account, what, _ := strings.Cut(question, ": ")
	what, namespace, _ := strings.Cut(what, " in ")
	verb, resource, _ := strings.Cut(what, " ")
	resource, part, _ := strings.Cut(resource, "/")
	resource, group, _ := strings.Cut(resource, ".")
	attributes := map[string]string{"verb": verb, "resource": resource, "group": group, "namespace": namespace}
	switch part {
	case "status", "token", "exec", "proxy":
		attributes["subresource"] = part
	default:
		attributes["name"] = part
	}
	if resource == "*" {
		attributes["group"] = "*"
	}
	written, _ := json.Marshal(map[string]any{
		"apiVersion": "authorization.k8s.io/v1",
		"kind":       "SubjectAccessReview",
		"spec":       map[string]any{"user": fmt.Sprintf("system:serviceaccount:%s:%s", system, account), "resourceAttributes": attributes},
	})
	return "---\n" + string(written) + "\n"
}
