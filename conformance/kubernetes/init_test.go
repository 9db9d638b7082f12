package kubernetes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// How the init image is run as a pod would: in a network of its own, with the capabilities of its securityContext (and what chroot
// needs), on a root file system that nobody writes to. The status is capture's; the files after it are what each kind of rules is then.
const asInit = `
root=$1 out=$2
shift 2
ip link set lo up
mount --bind "$root" "$root" && mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -o remount,bind,ro "$root"
inside() { setpriv --bounding-set -all,+net_admin,+net_raw,+sys_chroot --no-new-privs chroot "$root" "$@"; }
inside "$@"
status=$?
for kind in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
  inside "$kind-save" >"$out/$kind" 2>"$out/complaint-$kind" || { echo "$kind-save fails" >&2; cat "$out/complaint-$kind" >&2; status=99; }
done
exit $status`

// Whichever kind of rules a node's kernel takes, the image has what sets them, and sets them once.
func TestInitCapturesByEitherKindOfRules(t *testing.T) {
	image := image(t, "init")
	for wanted, kernel := range map[string]func(t *testing.T, root string){
		"nft":    func(*testing.T, string) {},
		"legacy": withoutNftables,
	} {
		t.Run(wanted, func(t *testing.T) {
			root, out := t.TempDir(), t.TempDir()
			for _, layer := range image.Layers {
				unpack(t, layer, root)
			}
			kernel(t, root)

			arguments := []string{"--mount", "--net", "bash", "-c", asInit, "init", root, out}
			command := exec.Command("unshare", append(arguments, image.Config.Entrypoint...)...)
			// Those are the image's own; the shell around it finds its programs by the first of them, too.
			command.Env = image.Config.Env
			var complaint strings.Builder
			command.Stderr = &complaint
			said, err := command.Output()
			if err != nil {
				t.Fatalf("%v: it says %s, then %s", err, said, complaint.String())
			}

			line, _, _ := strings.Cut(string(said), "\n")
			t.Log(line)
			if !strings.HasPrefix(line, "capture: by REDIRECT with iptables-"+wanted+", IPv4 and IPv6: inbound to 15006, outbound to 15001") {
				t.Errorf("it says %s", said)
			}
			for kind, rules := range saved(t, out) {
				leads := strings.Contains(rules, "-A PREROUTING -p tcp -j BODYGUARD_INBOUND\n") &&
					strings.Contains(rules, "-A BODYGUARD_INBOUND -p tcp -j REDIRECT --to-ports 15006\n") &&
					strings.Contains(rules, "-A OUTPUT -p tcp -j BODYGUARD_OUTPUT\n") &&
					strings.Contains(rules, "-A BODYGUARD_OUTPUT -p tcp -j REDIRECT --to-ports 15001\n")
				if strings.HasSuffix(kind, "-"+wanted) && !leads {
					t.Errorf("%s does not lead to the sidecar:\n%s", kind, rules)
				}
				if !strings.HasSuffix(kind, "-"+wanted) && strings.Contains(rules, "BODYGUARD") {
					t.Errorf("%s leads there too:\n%s", kind, rules)
				}
			}
		})
	}
}

// withoutNftables lets the image meet a kernel that has no nf_tables, in the words in which iptables tells of one.
func withoutNftables(t *testing.T, root string) {
	t.Helper()
	for _, name := range []string{"iptables-nft-restore", "ip6tables-nft-restore"} {
		where := filepath.Join(root, "usr/sbin", name)
		must(t, os.Remove(where)) // a link to what the other names lead to, too
		must(t, os.WriteFile(where, []byte("#!/bin/sh\necho \"$0: Failed to initialize nft: Protocol not supported\" >&2\nexit 1\n"), 0o755))
	}
}

// saved are the rules that were there at the end, by their kind.
func saved(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, kind := range []string{"iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"} {
		all[kind] = read(t, filepath.Join(folder, kind))
	}
	return all
}
