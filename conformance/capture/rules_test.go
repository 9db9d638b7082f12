package capture

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

const (
	patience = 20 * time.Second
	app      = "1000:1000"
	sidecar  = "1337:1337"
)

// A connection, and what it hears: who answered, where it was to go, and from where it came.
type connection struct {
	name             string
	in               *Pod
	user, from, to   string
	answered, wanted string
	seen             string
}

func TestRules(t *testing.T) {
	for _, kind := range []string{"nft", "legacy"} {
		for _, mode := range []string{"REDIRECT", "TPROXY"} {
			t.Run(kind+" "+mode, func(t *testing.T) {
				network := NewNetwork(t)
				pod, other := network.Pod(), network.Pod()
				said, complained, err := pod.Capture(kind, "CAPTURE_MODE="+mode,
					"CAPTURE_EXCLUDE_INBOUND_PORTS=9001,9100-9102", "CAPTURE_EXCLUDE_OUTBOUND_PORTS=9003",
					"CAPTURE_EXCLUDE_OUTBOUND_CIDRS=10.77.0.1/32, fd77::1/128")
				if err != nil {
					t.Fatalf("%v: %s", err, complained)
				}
				if !strings.HasPrefix(said, "capture: by "+mode+" with iptables-"+kind+", IPv4 and IPv6:") {
					t.Errorf("it says: %s", said)
				}
				// The sidecar needs a capability for IP_TRANSPARENT, which no user but root can be given.
				user, inbound := sidecar, "inbound"
				if mode == "TPROXY" {
					user, inbound = "0:1337", "inbound!"
				}
				pod.Serves(user, inbound+"@[::]:15006", "outbound@[::]:15001", "health@[::]:15021")
				pod.Serves(app, "app@[::]:8080", "app@[::]:9001", "app@[::]:9101", "local@127.0.0.1:7000", "local@[::1]:7000")
				other.Serves(app, "other@[::]:9000", "other@[::]:9003")
				network.Node().Serves(app, "node@[::]:9000")

				t.Run("IPv4", func(t *testing.T) {
					hear(t, connections(pod, other, network.Node(), (*Pod).v4, "127.0.0.1", "127.0.0.6"))
				})
				t.Run("IPv6", func(t *testing.T) {
					hear(t, connections(pod, other, network.Node(), (*Pod).v6, "::1", "::6"))
				})
			})
		}
	}
}

func (p *Pod) v4() string { return p.V4 }
func (p *Pod) v6() string { return p.V6 }

func connections(pod, other, node *Pod, address func(*Pod) string, loopback, toTheApp string) []connection {
	own, away, beyond := address(pod), address(other), address(node)
	return []connection{
		{"what calls the app comes to the sidecar, with the port it called", other, app, "", at(own, 8080), "inbound", at(own, 8080), away},
		{"so does what calls a port where nothing listens", other, app, "", at(own, 4321), "inbound", at(own, 4321), away},
		{"an excluded port is called directly", other, app, "", at(own, 9001), "app", at(own, 9001), away},
		{"a port of an excluded range is called directly", other, app, "", at(own, 9101), "app", at(own, 9101), away},
		{"the sidecar's health is asked directly", other, app, "", at(own, 15021), "health", at(own, 15021), away},
		{"the sidecar's own port is called as itself", other, app, "", at(own, 15006), "inbound", at(own, 15006), away},
		{"what the app calls goes to the sidecar, with where it wanted to go", pod, app, "", at(away, 9000), "outbound", at(away, 9000), own},
		{"what user root calls goes to the sidecar", pod, "0:0", "", at(away, 9000), "outbound", at(away, 9000), own},
		{"what the sidecar calls goes there", pod, sidecar, "", at(away, 9000), "other", at(away, 9000), own},
		{"what the sidecar's group calls goes there", pod, "0:1337", "", at(away, 9000), "other", at(away, 9000), own},
		{"an excluded port of others is called directly", pod, app, "", at(away, 9003), "other", at(away, 9003), own},
		{"an excluded address is called directly", pod, app, "", at(beyond, 9000), "node", at(beyond, 9000), own},
		{"port 80 of loopback is the sidecar's", pod, app, "", at(loopback, 80), "outbound", at(loopback, 80), loopback},
		{"port 443 of loopback is the sidecar's", pod, app, "", at(loopback, 443), "outbound", at(loopback, 443), loopback},
		{"other ports of loopback are the app's own", pod, app, "", at(loopback, 7000), "local", at(loopback, 7000), loopback},
		{"the app calls its own address directly", pod, app, "", at(own, 8080), "app", at(own, 8080), own},
		{"what the sidecar calls in its own pod comes in", pod, sidecar, "", at(own, 8080), "inbound", at(own, 8080), own},
		{"so does what its group calls there", pod, "0:1337", "", at(own, 8080), "inbound", at(own, 8080), own},
		{"what the sidecar has let in goes to the app", pod, sidecar, toTheApp, at(own, 8080), "app", at(own, 8080), toTheApp},
		{"the sidecar reaches the app on loopback", pod, sidecar, "", at(loopback, 7000), "local", at(loopback, 7000), loopback},
	}
}

func hear(t *testing.T, connections []connection) {
	for _, c := range connections {
		t.Run(c.name, func(t *testing.T) {
			c.in.t = t
			heard := c.in.Hears(c.user, c.from, c.to)
			if expected := c.answered + " " + c.wanted + " " + c.seen; heard != expected {
				t.Errorf("to %s: heard %q, expected %q", c.to, heard, expected)
			}
		})
	}
}

func TestOnlyWhatIsListedIsCaptured(t *testing.T) {
	network := NewNetwork(t)
	pod, other := network.Pod(), network.Pod()
	if _, complained, err := pod.Capture("", "CAPTURE_INBOUND_PORTS=8080", "CAPTURE_OUTBOUND_CIDRS=10.77.0.1/32",
		"CAPTURE_OUTBOUND_PORTS=9000", "CAPTURE_LOOPBACK_PORTS=443"); err != nil {
		t.Fatal(complained)
	}
	pod.Serves(sidecar, "inbound@[::]:15006", "outbound@[::]:15001")
	pod.Serves(app, "app@[::]:8080", "app@[::]:8081", "local@127.0.0.1:80")
	other.Serves(app, "other@[::]:9000", "other@[::]:9003")

	hear(t, []connection{
		{"a listed port", other, app, "", at(pod.V4, 8080), "inbound", at(pod.V4, 8080), other.V4},
		{"another port", other, app, "", at(pod.V4, 8081), "app", at(pod.V4, 8081), other.V4},
		{"a listed port of others", pod, app, "", at(other.V4, 9000), "outbound", at(other.V4, 9000), pod.V4},
		{"another port of others", pod, app, "", at(other.V4, 9003), "other", at(other.V4, 9003), pod.V4},
		{"a listed address", pod, app, "", at("10.77.0.1", 9003), "outbound", at("10.77.0.1", 9003), pod.V4},
		{"a port of loopback that is not listed", pod, app, "", at("127.0.0.1", 80), "local", at("127.0.0.1", 80), "127.0.0.1"},
	})
}

func TestOnlyListedAddressesAreCaptured(t *testing.T) {
	network := NewNetwork(t)
	pod, other := network.Pod(), network.Pod()
	if _, complained, err := pod.Capture("", "CAPTURE_OUTBOUND_CIDRS=10.77.0.1/32,fd77::1/128", "CAPTURE_OUTBOUND_PORTS=",
		"CAPTURE_LOOPBACK_PORTS="); err != nil {
		t.Fatal(complained)
	}
	pod.Serves(sidecar, "inbound@[::]:15006", "outbound@[::]:15001")
	pod.Serves(app, "local@127.0.0.1:80")
	other.Serves(app, "other@[::]:9000")

	hear(t, []connection{
		{"a listed address", pod, app, "", at("10.77.0.1", 9003), "outbound", at("10.77.0.1", 9003), pod.V4},
		{"a listed address of IPv6", pod, app, "", at("fd77::1", 9003), "outbound", at("fd77::1", 9003), pod.V6},
		{"another address", pod, app, "", at(other.V4, 9000), "other", at(other.V4, 9000), pod.V4},
		{"another address of IPv6", pod, app, "", at(other.V6, 9000), "other", at(other.V6, 9000), pod.V6},
		{"loopback", pod, app, "", at("127.0.0.1", 80), "local", at("127.0.0.1", 80), "127.0.0.1"},
	})
}

func TestWithNoAddressListedNothingOutboundIsCaptured(t *testing.T) {
	network := NewNetwork(t)
	pod, other := network.Pod(), network.Pod()
	if _, complained, err := pod.Capture("", "CAPTURE_OUTBOUND_CIDRS=", "CAPTURE_OUTBOUND_PORTS=", "CAPTURE_LOOPBACK_PORTS="); err != nil {
		t.Fatal(complained)
	}
	pod.Serves(sidecar, "inbound@[::]:15006", "outbound@[::]:15001")
	pod.Serves(app, "app@[::]:8080")
	other.Serves(app, "other@[::]:9000")

	hear(t, []connection{
		{"what the app calls goes there", pod, app, "", at(other.V4, 9000), "other", at(other.V4, 9000), pod.V4},
		{"what calls the app comes to the sidecar", other, app, "", at(pod.V4, 8080), "inbound", at(pod.V4, 8080), other.V4},
	})
}

func TestRunAgainItChangesNothing(t *testing.T) {
	for _, kind := range []string{"nft", "legacy"} {
		t.Run(kind, func(t *testing.T) {
			pod := NewNetwork(t).Pod()
			first, complained, err := pod.Capture(kind)
			if err != nil {
				t.Fatal(complained)
			}
			second, _, _ := pod.Capture(kind)
			if first != second {
				t.Errorf("at first:\n%s\nthen:\n%s", first, second)
			}

			if _, _, err := pod.Capture(kind, "CAPTURE_MODE=TPROXY"); err != nil {
				t.Fatal(err)
			}
			third, _, _ := pod.Capture(kind)
			if first != third {
				t.Errorf("at first:\n%s\nafter TPROXY and back:\n%s", first, third)
			}
		})
	}
}

func TestWhereItCannotBeDoneNothingIsDone(t *testing.T) {
	pod := NewNetwork(t).Pod()
	cases := []struct{ setting, complaint string }{
		{"CAPTURE_MODE=redirect", "capture: CAPTURE_MODE must be REDIRECT or TPROXY, was 'redirect'"},
		{"CAPTURE_EXCLUDE_INBOUND_PORTS=80,http", "capture: CAPTURE_EXCLUDE_INBOUND_PORTS must be ports such as 80,8000-8100, was '80,http'"},
		{"CAPTURE_EXCLUDE_INBOUND_PORTS=90-80", "capture: CAPTURE_EXCLUDE_INBOUND_PORTS: a range begins with its lower port, was '90-80'"},
		{"CAPTURE_EXCLUDE_OUTBOUND_PORTS=*", "capture: CAPTURE_EXCLUDE_OUTBOUND_PORTS must be ports such as 80,8000-8100, was '*'"},
		{"CAPTURE_OUTBOUND_CIDRS=example.com", "capture: CAPTURE_OUTBOUND_CIDRS must be addresses such as 10.0.0.0/8,fd00::/8, was 'example.com'"},
		{"CAPTURE_INBOUND_PORTS=80 -j ACCEPT", "capture: CAPTURE_INBOUND_PORTS must be ports such as 80,8000-8100, was '80 -j ACCEPT'"},
		{"CAPTURE_EXCLUDE_INBOUND_PORTS=0100", "capture: CAPTURE_EXCLUDE_INBOUND_PORTS must be a number from 1 to 65535, was '0100'"},
		{"CAPTURE_LOOPBACK_PORTS=70000", "capture: CAPTURE_LOOPBACK_PORTS must be a number from 1 to 65535, was '70000'"},
		{"CAPTURE_OUTBOUND_CIDRS=10.0.0.0/99", "invalid mask `99' specified"},
		{"CAPTURE_OUTBOUND_CIDRS=10.0.0.0/8,fd00::/999", "invalid mask `999' specified"},
	}
	for _, c := range cases {
		t.Run(c.setting, func(t *testing.T) {
			said, complained, err := pod.Capture("", c.setting)

			if err == nil || said != "" || !strings.Contains(complained, c.complaint) || strings.Contains(complained, "\n") {
				t.Errorf("err %v, said %q, complained %q", err, said, complained)
			}
			for _, save := range []string{"iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save"} {
				command := pod.Command(save)
				rules, _ := exec.Command(command[0], command[1:]...).Output()
				if strings.Contains(string(rules), "BODYGUARD") {
					t.Errorf("%s has:\n%s", save, rules)
				}
			}
		})
	}
}

func TestWithoutTheCapabilityItSaysWhatToAdd(t *testing.T) {
	pod := NewNetwork(t).Pod()
	command := pod.Command("setpriv", "--bounding-set", "-net_admin", "sh", scriptFile())

	output, err := exec.Command(command[0], command[1:]...).CombinedOutput()

	const expected = "capture: no capability NET_ADMIN, so no rules can be set: run as user 0 with " +
		"securityContext.capabilities.add [NET_ADMIN, NET_RAW]\n"
	if err == nil || string(output) != expected {
		t.Errorf("err %v, output %q", err, output)
	}
}
