package capture

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// What this binary does when it is started again inside a network namespace.
const (
	roleVariable = "CAPTURE_TEST_ROLE"
	userVariable = "CAPTURE_TEST_USER" // uid:gid

	authorityVariable = "CAPTURE_TEST_AUTHORITY" // whose certificates a client believes
)

func play(role string, arguments []string) {
	if user := os.Getenv(userVariable); user != "" {
		uid, gid, _ := strings.Cut(user, ":")
		must(syscall.Setgroups(nil))
		must(syscall.Setgid(number(gid)))
		must(syscall.Setuid(number(uid)))
	}
	switch role {
	case "serve":
		serve(arguments)
	case "dial":
		dial(arguments[0], arguments[1])
	case "get":
		get(arguments[0], arguments[1])
	default:
		panic("no role " + role)
	}
}

// serve answers on each LABEL@ADDRESS with its label, where the caller wanted to go, and who it is. A label that ends
// with "!" opens the port with IP_TRANSPARENT.
func serve(ports []string) {
	for _, port := range ports {
		label, address, _ := strings.Cut(port, "@")
		configuration := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
			if !strings.HasSuffix(label, "!") {
				return nil
			}
			var failed error
			err := raw.Control(func(fd uintptr) {
				failed = syscall.SetsockoptInt(int(fd), syscall.SOL_IP, syscall.IP_TRANSPARENT, 1)
			})
			if err != nil {
				return err
			}
			return failed
		}}
		listener, err := configuration.Listen(context.Background(), "tcp", address)
		must(err)
		go func() {
			for {
				accepted, err := listener.Accept()
				must(err)
				connection := accepted.(*net.TCPConn)
				fmt.Fprintf(connection, "%s %s %s\n", strings.TrimSuffix(label, "!"), wanted(connection), host(connection.RemoteAddr()))
				connection.Close()
			}
		}()
	}
	fmt.Println("serving")
	select {}
}

// wanted is where the kernel says that the connection was to go.
func wanted(connection *net.TCPConn) string {
	local := connection.LocalAddr().(*net.TCPAddr).AddrPort()
	local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	raw, err := connection.SyscallConn()
	must(err)
	answer := local
	must(raw.Control(func(fd uintptr) {
		level, size := syscall.SOL_IP, 16
		if local.Addr().Is6() {
			level, size = syscall.SOL_IPV6, 28
		}
		var told [28]byte
		const originalDestination = 80
		_, _, failed := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, uintptr(level), originalDestination,
			uintptr(unsafe.Pointer(&told)), uintptr(unsafe.Pointer(&size)), 0)
		if failed != 0 {
			return
		}
		port := binary.BigEndian.Uint16(told[2:])
		if local.Addr().Is6() {
			answer = netip.AddrPortFrom(netip.AddrFrom16([16]byte(told[8:24])), port)
		} else {
			answer = netip.AddrPortFrom(netip.AddrFrom4([4]byte(told[4:8])), port)
		}
	}))
	return answer.String()
}

// dial prints what is said at an address, to which it comes from another one where that is not empty.
func dial(from, to string) {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	connection, err := dialer.Dial("tcp", to)
	if err != nil {
		fmt.Println("failed:", err)
		return
	}
	must(connection.SetDeadline(time.Now().Add(2 * time.Second)))
	said, err := io.ReadAll(connection)
	if err != nil {
		fmt.Println("failed:", err)
		return
	}
	fmt.Print(string(said))
}

// get prints the status and the body of an answer, as an ordinary client hears it. Where an address is given, that is
// what the URL's name is resolved to.
func get(url, address string) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	if address != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, network, address)
		}
	}
	if authority := os.Getenv(authorityVariable); authority != "" {
		pem, err := os.ReadFile(authority)
		must(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	client := http.Client{Timeout: 20 * time.Second, Transport: transport}
	response, err := client.Get(url)
	if err != nil {
		fmt.Println("failed:", err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		fmt.Println("failed:", err)
		return
	}
	fmt.Printf("%d\n%s", response.StatusCode, body)
}

func host(address net.Addr) string {
	return address.(*net.TCPAddr).AddrPort().Addr().Unmap().String()
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
