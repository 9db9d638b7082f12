"""The app behind all sides and the load before them, on the other core."""

import json
import re
import socket
import sys
from pathlib import Path

from parts.machine import LOAD_CORE, Failed, Process, eventually, free_port

PARTS = Path(__file__).resolve().parent
PEERS, MESH = PARTS.parent / "peers", PARTS.parent / "mesh"
BODY = "x" * 1024
GRPC_HEADERS = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
MIB = 1 << 20
UNARY = "/bench.Echo/Unary"
CONNECTIONS = 64
# Of the same number of requests at once over HTTP/2.
H2_CONNECTIONS, H2_STREAMS = 8, 8
RATE = 1000
# fortio's buckets, in seconds.
RESOLUTION = "0.000005"


def grpc_message(text):
    """In gRPC's frame: not compressed, four bytes of length."""
    return "\0" + len(text).to_bytes(4, "big").decode("ascii") + text


def filled(configuration, work, **values):
    """A configuration with its @PLACES@ filled, in the work folder."""
    text = configuration.read_text()
    for key, value in {"WORK": work, **values}.items():
        text = text.replace(f"@{key}@", str(value))
    made = work / configuration.name
    made.write_text(text)
    return made


class App:
    """nginx, which answers at once and counts; and beside it what speaks no HTTP and sends as many bytes as one asks for."""

    def __init__(self, tools, work):
        self.port, self.h2_port, self.status, self.bytes_port = free_port(), free_port(), free_port(), free_port()
        (work / "nginx").mkdir()
        (work / "mib").write_bytes(b"m" * MIB)
        conf = filled(PEERS / "nginx.conf", work, APP=self.port, APP_H2=self.h2_port, STATUS=self.status, BODY=BODY,
                      UNARY=UNARY, REPLY=grpc_message(BODY))
        self.process = Process("nginx", [tools.nginx, "-p", work, "-c", conf], LOAD_CORE, work, tools.libraries)
        self.source = Process("source", [*script("transfer"), "source", self.bytes_port], LOAD_CORE, work)
        eventually("nginx answers", lambda: self.process.check() or answers(self.port, "app"), 10)

    def served(self):
        """Requests so far, this one included."""
        return int(fetch(self.status, "app", "/served").split(b"requests")[1].split()[2])


def script(name):
    """The command for a script of this folder."""
    return [sys.executable, "-B", PARTS / f"{name}.py"]


def fetch(port, host, path="/", method="GET"):
    with socket.create_connection(("127.0.0.1", port), 2) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def answers(port, host):
    """Whether one request gets its 200 and its kibibyte."""
    try:
        answer = fetch(port, host)
        return b" 200 " in answer[:20] and BODY.encode() in answer
    except OSError:
        return False


class Load:
    """Requests to a port of this machine in the name of a host."""

    def __init__(self, tools, work):
        self.tools, self.work = tools, work
        self.message = work / "message"
        self.message.write_text(grpc_message(BODY))

    def flood(self, port, host, seconds, path="/", connections=CONNECTIONS):
        """As many as so many connections carry; the process, still running."""
        return Process("wrk", [self.tools.wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-H", f"Host: {host}",
                               f"http://127.0.0.1:{port}{path}"], LOAD_CORE, self.work, self.tools.libraries)

    def flooded(self, port, host, seconds, path="/", connections=CONNECTIONS):
        """The same until its end: requests and requests per second."""
        log = self.work / "wrk.log"
        log.unlink(missing_ok=True)
        wrk = self.flood(port, host, seconds, path, connections)
        wrk.popen.wait()
        wrk.stop()
        return counted_by_wrk(log.read_text(), host)

    def h2_flooded(self, port, host, seconds):
        """GETs over HTTP/2 in clear, of which 64 are under way: requests and requests per second."""
        return self.h2load(port, host, seconds, "/")

    def grpc_flooded(self, port, host, seconds):
        """Unary calls of a kibibyte each way, of which 64 are under way: calls and calls per second."""
        return self.h2load(port, host, seconds, UNARY, "-d", self.message, *GRPC_HEADERS)

    def h2load(self, port, host, seconds, path, *options):
        text = self.ran([self.tools.h2load, "-t1", f"-c{H2_CONNECTIONS}", f"-m{H2_STREAMS}", f"-D{seconds}",
                         f"--connect-to=127.0.0.1:{port}", *options, f"http://{host}{path}"])
        return counted_by_h2load(text, f"{host}{path}")

    def check_grpc(self, port, host):
        """One unary call is answered by its message and, after it, status 0: the load looks at HTTP's status only."""
        text = self.ran([self.tools.nghttp, "-nv", "-d", self.message, *GRPC_HEADERS, "-H", f":authority: {host}",
                         f"http://127.0.0.1:{port}{UNARY}"])
        if not re.search(r"grpc-status: 0\s", text):
            raise Failed(f"a gRPC call to {host} by 127.0.0.1:{port} has no status 0, so nothing is measured:\n{text[-1500:]}")

    def taken(self, port, through, total, connections=4):
        """So many bytes of the app's other port, by a proxy's port or by its CONNECT to `through`."""
        self.ran([*script("transfer"), "take", port, through or "-", total, connections])

    def handshakes(self, port, certificates, seconds, resume):
        """New connections of mutual TLS: how many there were, and how many of them were resumed sessions."""
        told = json.loads(self.ran([*script("handshakes"), port, certificates, seconds, "resume" if resume else "full"]))
        return told["connections"], told["resumed"]

    def steady(self, port, host, seconds, rate=RATE, connections=8):
        """So many a second, evenly apart: p50, p99, p99.9 and the longest, in µs."""
        out = self.work / "fortio.json"
        out.unlink(missing_ok=True)
        self.ran([
            self.tools.fortio, "load", "-quiet", "-qps", f"{rate:.0f}", "-c", connections, "-uniform", "-nocatchup", "-r", RESOLUTION,
            "-t", f"{seconds}s", "-p", "50,99,99.9", "-json", out, "-H", f"Host: {host}", f"http://127.0.0.1:{port}/"])
        told = json.loads(out.read_text())
        if set(told["RetCodes"]) != {"200"}:
            raise Failed(f"a request for {host} failed, so nothing is measured: {told['RetCodes']}")
        histogram = told["DurationHistogram"]
        return [percentile["Value"] * 1e6 for percentile in histogram["Percentiles"]] + [histogram["Max"] * 1e6]

    def ran(self, command):
        """What a command on the load's core prints."""
        log = self.work / "load.log"
        log.unlink(missing_ok=True)
        process = Process("load", command, LOAD_CORE, self.work, self.tools.libraries)
        status = process.popen.wait()
        process.stop()
        text = log.read_text(errors="replace")
        if status:
            raise Failed(f"{Path(command[0]).name} failed:\n{text[-2000:]}")
        return text


def counted_by_wrk(text, what):
    """Requests and requests per second; none may have failed."""
    bad = re.search(r"Non-2xx.*|Socket errors.*", text)
    if bad:
        raise Failed(f"a request for {what} failed, so nothing is measured: {bad.group(0)}")
    return int(re.search(r"(\d+) requests in", text).group(1)), float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def counted_by_h2load(text, what):
    """Requests and requests per second; none may have failed. What the end of time cut off is neither done nor wrong, though its status
    may have come."""
    done, failed, errored = map(int, re.search(r"(\d+) done, .* (\d+) failed, (\d+) errored", text).groups())
    if failed or errored or not done or int(re.search(r"status codes: (\d+) 2xx", text).group(1)) < done:
        raise Failed(f"a request for {what} over HTTP/2 failed, so nothing is measured:\n{text[-1000:]}")
    return done, float(re.search(r"([\d.]+) req/s", text).group(1))


class Idle:
    """Connections that have carried one request each and now say nothing."""

    def __init__(self, port, host, count):
        self.held = []
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), 10)
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            self.held.append(connection)
            answer = b""
            while len(answer) < len(BODY) or BODY.encode() not in answer:
                part = connection.recv(65536)
                if not part:
                    raise Failed(f"connection {len(self.held)} of {count} was closed: {answer[:80]!r}")
                answer += part

    def close(self):
        for connection in self.held:
            connection.close()
