// Package identity holds identity to its promises on a real Kubernetes API server, with the rights that the chart gives it
// and no others: one root for all replicas, known in every namespace, and certificates for whoever a token speaks for.
package identity

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

const (
	system   = "bodyguard-system"
	patience = 60 * time.Second
)

func TestMain(m *testing.M) { Main(m) }

// mesh is a namespace bodyguard-system with the chart's accounts, and a kubeconfig of identity's.
type mesh struct {
	Cluster
	folder, kubeconfig string
}

func newMesh(t *testing.T) mesh {
	c := Kube(t)
	m := mesh{c, t.TempDir(), ""}
	c.Kubectl("create", "namespace", system)
	t.Cleanup(func() { _, _ = c.Inside("", "kubectl", "delete", "namespace", system) })
	accounts, err := c.Inside("", "helm", "template", "bodyguard", filepath.Join(Root, "charts/bodyguard"),
		"--namespace", system, "--show-only", "templates/accounts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(system, accounts)
	t.Cleanup(func() { _, _ = c.Inside(accounts, "kubectl", "delete", "-f", "-") })
	m.kubeconfig = m.file("kubeconfig", c.Kubectl("config", "view", "--raw", "--flatten"))
	for _, change := range [][]string{
		{"set-credentials", "identity", "--token", m.token("identity", "")},
		{"set-context", "--current", "--user", "identity"},
	} {
		c.Kubectl(append([]string{"--kubeconfig", m.kubeconfig, "config"}, change...)...)
	}
	return m
}

func (m mesh) file(name, content string) string {
	file := filepath.Join(m.folder, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		m.T.Fatal(err)
	}
	return file
}

// token is one of the API server's, for an account of the control plane; without an audience it is for the API server.
func (m mesh) token(account, audience string) string {
	m.T.Helper()
	arguments := []string{"-n", system, "create", "token", account}
	if audience != "" {
		arguments = append(arguments, "--audience", audience)
	}
	return strings.TrimSpace(m.Kubectl(arguments...))
}

// service starts a service of the control plane in the node's network.
func (m mesh) service(label, name string, port int, environment ...string) *Process {
	m.T.Helper()
	state := filepath.Join(m.folder, label)
	command := append([]string{filepath.Join(Root, "conformance/cluster/kin"), "env", "BODYGUARD_STATE=" + state,
		fmt.Sprintf("BODYGUARD_ADMIN_PORT=%d", port+10)}, environment...)
	return Start(m.T, label, append(command, filepath.Join(Root, "bodyguard"), "service", name)...)
}

func (m mesh) identity(label string, port int) *Process {
	m.T.Helper()
	return m.service(label, "identity", port, "KUBECONFIG="+m.kubeconfig, "BODYGUARD_CA=secret",
		fmt.Sprintf("BODYGUARD_IDENTITY_PORT=%d", port))
}

// discovery joins at an identity with a token.
func (m mesh) discovery(label, token string, identity, port int) *Process {
	m.T.Helper()
	yaml := filepath.Join(m.folder, "yaml")
	if err := os.MkdirAll(yaml, 0o700); err != nil {
		m.T.Fatal(err)
	}
	return m.service(label, "discovery", port, "BODYGUARD_FILES="+yaml,
		fmt.Sprintf("BODYGUARD_DISCOVERY_PORT=%d", port),
		fmt.Sprintf("BODYGUARD_IDENTITY=127.0.0.1:%d", identity),
		"BODYGUARD_TOKEN="+m.file(label+".token", token),
		"BODYGUARD_ROOT="+filepath.Join(m.folder, "root.pem"))
}

func (m mesh) root(namespace string) string {
	output, err := m.Inside("", "kubectl", "-n", namespace, "get", "configmap", "bodyguard-root",
		"-o", `jsonpath={.data.root\.pem}`)
	if err != nil {
		return ""
	}
	return output
}

func (m mesh) rooted(namespace, want string) {
	m.T.Helper()
	Eventually(m.T, 20*time.Second, "the roots are in "+namespace, func() bool { return m.root(namespace) == want })
}

func TestTwoIdentitiesShareOneRootAndMembersJoinByTokens(t *testing.T) {
	m := newMesh(t)
	first, second := m.identity("identity-1", 25013), m.identity("identity-2", 26013)
	first.Says(`ready: identity .*; root in Secret bodyguard-system/bodyguard-ca`, patience)
	second.Says(`ready: identity .*; root in Secret bodyguard-system/bodyguard-ca`, patience)
	// Discovery waits for its roots.
	discovery := m.discovery("discovery", m.token("discovery", "bodyguard"), 25013, 25014)
	discovery.Says(`waiting for the mesh's roots in `, patience)
	Eventually(t, 20*time.Second, "the roots are in "+system, func() bool { return m.root(system) != "" })
	m.file("root.pem", m.root(system))
	discovery.Says(`ready: discovery `, patience)
	// Config shows a certificate of the other identity to discovery, and believes discovery's.
	config := m.service("config", "config", 25012, "BODYGUARD_XDS_PORT=25012", "BODYGUARD_DISCOVERY=127.0.0.1:25014",
		"BODYGUARD_IDENTITY=127.0.0.1:26013", "BODYGUARD_TOKEN="+m.file("config.token", m.token("config", "bodyguard")),
		"BODYGUARD_ROOT="+filepath.Join(m.folder, "root.pem"))
	config.Says(`ready: xds `, patience)
	Eventually(t, 20*time.Second, "config hears from discovery", func() bool {
		answer, _ := m.Curl("http://127.0.0.1:25022/healthz/ready")
		return strings.TrimSpace(answer) == "ready"
	})
	t.Log(first.Says(`(?m)^.*issued spiffe://cluster.local/ns/bodyguard-system/sa/discovery .*$`, patience))
	t.Log(second.Says(`(?m)^.*issued spiffe://cluster.local/ns/bodyguard-system/sa/config .*$`, patience))
	key := m.Get(system, "secret/bodyguard-ca", `.data.root-key\.pem`)
	for _, p := range []*Process{first, second, discovery, config} {
		if strings.Contains(p.Output(), "PRIVATE KEY") || strings.Contains(p.Output(), key[len(key)-40:]) {
			t.Errorf("%s tells the root's key", p.Name)
		}
	}

	// A third life finds what the first founded.
	first.Stop(patience)
	root := m.root(system)
	m.identity("identity-3", 25013).Says(`ready: identity `, patience)
	if now := m.Get(system, "secret/bodyguard-ca", `.data.root-key\.pem`); now != key {
		t.Error("the root was written again")
	}
	m.rooted(system, root)
}

func TestWhoseTokenIsNotForTheMeshIsRefused(t *testing.T) {
	m := newMesh(t)
	identity := m.identity("identity", 25013)
	identity.Says(`ready: identity `, patience)
	Eventually(t, 20*time.Second, "the roots are in "+system, func() bool { return m.root(system) != "" })
	m.file("root.pem", m.root(system))
	m.Kubectl("-n", system, "create", "serviceaccount", "gone")
	gone := m.token("gone", "bodyguard")
	m.Kubectl("-n", system, "delete", "serviceaccount", "gone")
	valid := m.token("discovery", "bodyguard")
	parts := strings.Split(valid, ".")

	for _, thief := range []struct{ name, token, told string }{
		{"another-audience", m.token("discovery", ""), "UNAUTHENTICATED: the API server does not accept the token"},
		{"another-account", m.token("config", "bodyguard"),
			"PERMISSION_DENIED: the token is good for bodyguard-system/config, not for bodyguard-system/discovery"},
		{"forged", m.signed(parts, nil), "UNAUTHENTICATED: the API server does not accept the token"},
		{"expired", m.signed(parts, func(claims map[string]any) {
			claims["exp"] = time.Now().Add(-time.Minute).Unix()
		}), "UNAUTHENTICATED: the API server does not accept the token.*expired"},
		{"gone", gone, "UNAUTHENTICATED: the API server does not accept the token"},
		{"of-a-state-folder", "bg1.Ym9keWd1YXJkLXN5c3RlbS9kaXNjb3Zlcnk.cHJvb2Y",
			"UNAUTHENTICATED: the API server does not accept the token"},
	} {
		t.Run(thief.name, func(t *testing.T) {
			inner := mesh{Cluster{t}, m.folder, m.kubeconfig}
			p := inner.discovery(thief.name, thief.token, 25013, 25014)
			t.Log(p.Says(`(?m)^.*no new certificate: the identity service answers `+thief.told+`.*$`, patience))
			if strings.Contains(p.Output(), "now spiffe://") {
				t.Error("it has a certificate")
			}
		})
	}
	// The key that the refused were signed with is the cluster's own, where they were not forged.
	signed := m.discovery("signed", m.signed(parts, func(map[string]any) {}), 25013, 25014)
	signed.Says(`now .*spiffe://cluster.local/ns/bodyguard-system/sa/discovery`, patience)
	for _, token := range []string{gone, valid} {
		if strings.Contains(identity.Output(), token) || strings.Contains(identity.Output(), strings.Split(token, ".")[2]) {
			t.Error("identity tells a token")
		}
	}
}

// signed is a token with changed claims by the cluster's key; without a change the claims stay and the key is another.
func (m mesh) signed(parts []string, change func(map[string]any)) string {
	m.T.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		m.T.Fatal(err)
	}
	var key *ecdsa.PrivateKey
	file, err := os.ReadFile(filepath.Join(Root, ".cache/cluster/pki/sa.key"))
	if err != nil {
		m.T.Fatal(err)
	}
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		if key, err = x509.ParseECPrivateKey(block.Bytes); err == nil {
			break
		}
		if any, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			key = any.(*ecdsa.PrivateKey)
		}
	}
	if key == nil {
		m.T.Fatal("the cluster's key is no EC key")
	}
	if change == nil {
		if key, err = ecdsa.GenerateKey(key.Curve, rand.Reader); err != nil {
			m.T.Fatal(err)
		}
	} else {
		claims := map[string]any{}
		if err := json.Unmarshal(raw, &claims); err != nil {
			m.T.Fatal(err)
		}
		change(claims)
		if raw, err = json.Marshal(claims); err != nil {
			m.T.Fatal(err)
		}
	}
	content := parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw)
	hash := sha256.Sum256([]byte(content))
	r, s, err := ecdsa.Sign(rand.Reader, key, hash[:])
	if err != nil {
		m.T.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return content + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestEveryNamespaceHasTheRoots(t *testing.T) {
	m := newMesh(t)
	identity := m.identity("identity", 25013)
	identity.Says(`ready: identity `, patience)
	Eventually(t, 20*time.Second, "the roots are in default", func() bool { return m.root("default") != "" })
	root := m.root("default")
	namespace := m.Namespace()
	m.rooted(namespace, root)

	m.Kubectl("-n", namespace, "delete", "configmap", "bodyguard-root")
	m.rooted(namespace, root)
	m.Kubectl("-n", namespace, "patch", "configmap", "bodyguard-root", "-p", `{"data":{"root.pem":"another"}}`)
	m.rooted(namespace, root)

	// The API server stands still: identity goes on, says so, and catches up.
	server := apiServer(t)
	m.file("root.pem", root)
	token := m.token("discovery", "bodyguard")
	if err := syscall.Kill(server, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	resume := func() { _ = syscall.Kill(server, syscall.SIGCONT) }
	t.Cleanup(resume)
	discovery := m.discovery("discovery", token, 25013, 25014)
	t.Log(discovery.Says(`(?m)^.*no new certificate: the identity service answers UNAVAILABLE: the token cannot be judged now.*$`, patience))
	resume()
	discovery.Says(`ready: discovery `, patience)
	later := m.Namespace()
	m.rooted(later, root)

	// One that ends is left alone.
	m.Kubectl("delete", "namespace", later)
	if strings.Contains(identity.Output(), "not in namespace "+later) {
		t.Error("identity writes into a namespace that ends")
	}
}

// apiServer is the process of this cluster's API server.
func apiServer(t *testing.T) int {
	t.Helper()
	state := filepath.Join(Root, ".cache/cluster")
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range processes {
		command, _ := os.ReadFile(file)
		if strings.Contains(string(command), "kube-apiserver\x00") && strings.Contains(string(command), state) {
			var pid int
			if _, err := fmt.Sscanf(file, "/proc/%d/cmdline", &pid); err == nil {
				return pid
			}
		}
	}
	t.Fatal("the API server's process is not found")
	return 0
}
