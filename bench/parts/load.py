"""The app behind both sides and the load before them, all on the other core."""

import json
import re
import socket
import subprocess
from pathlib import Path

from parts.machine import LOAD_CORE, Failed, Process, eventually, free_port

PEERS = Path(__file__).resolve().parents[1] / "peers"
BODY = "x" * 1024
CONNECTIONS = 64
RATE = 1000
# fortio's buckets, in seconds.
RESOLUTION = "0.000005"


def filled(name, work, **values):
    """A configuration of peers/ with its @PLACES@ filled, in the work folder."""
    text = (PEERS / name).read_text()
    for key, value in {"WORK": work, **values}.items():
        text = text.replace(f"@{key}@", str(value))
    made = work / name
    made.write_text(text)
    return made


class App:
    """nginx, which answers at once and counts."""

    def __init__(self, tools, work):
        self.port, self.status = free_port(), free_port()
        (work / "nginx").mkdir()
        conf = filled("nginx.conf", work, APP=self.port, STATUS=self.status, BODY=BODY)
        self.process = Process("nginx", [tools.nginx, "-p", work, "-c", conf], LOAD_CORE, work)
        eventually("nginx answers", lambda: self.process.check() or answers(self.port, "app"), 10)

    def served(self):
        """Requests so far, this one included."""
        return int(fetch(self.status, "app", "/served").split(b"requests")[1].split()[2])


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

    def flood(self, port, host, seconds):
        """As many as 64 connections carry; the process, still running."""
        return Process("wrk", [self.tools.wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"Host: {host}",
                               f"http://127.0.0.1:{port}/"], LOAD_CORE, self.work, self.tools.libraries)

    def flooded(self, port, host, seconds):
        """The same until its end: requests and requests per second."""
        log = self.work / "wrk.log"
        log.unlink(missing_ok=True)
        wrk = self.flood(port, host, seconds)
        wrk.popen.wait()
        wrk.stop()
        text = log.read_text()
        bad = re.search(r"Non-2xx.*|Socket errors.*", text)
        if bad:
            raise Failed(f"a request for {host} failed, so nothing is measured: {bad.group(0)}")
        return int(re.search(r"(\d+) requests in", text).group(1)), float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))

    def steady(self, port, host, seconds):
        """1,000 a second, evenly apart: p50, p99 and p99.9 in µs."""
        command = [self.tools.fortio, "load", "-quiet", "-qps", RATE, "-c", 8, "-uniform", "-nocatchup", "-r", RESOLUTION,
                   "-t", f"{seconds}s", "-p", "50,99,99.9", "-json", "-", "-H", f"Host: {host}", f"http://127.0.0.1:{port}/"]
        done = subprocess.run(["taskset", "-c", str(LOAD_CORE), *map(str, command)], capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"fortio failed:\n{done.stderr[-2000:]}")
        told = json.loads(done.stdout)
        if set(told["RetCodes"]) != {"200"}:
            raise Failed(f"a request for {host} failed, so nothing is measured: {told['RetCodes']}")
        return [percentile["Value"] * 1e6 for percentile in told["DurationHistogram"]["Percentiles"]]


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
