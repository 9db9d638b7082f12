"""The sides of the comparison: a pair of proxies, outbound beside the caller and inbound beside the app, or a hop alone."""

import json
import shutil
import time

from parts.load import MESH, PEERS, answers, fetch, filled
from parts.machine import LOAD_CORE, PROXY_CORE, Failed, Process, eventually, free_port
from parts.tools import quiet

HOST = "payment-service"
# Known to the mesh as an outside host that speaks HTTP/2 in clear.
H2_HOST = "ledger.example"


class Side:
    """What the measurements ask of a pair. `outbound` and `inbound` are processes while it runs, `port` is where callers come in."""

    outbound = inbound = None

    def started(self):
        """Whether it runs."""
        return self.outbound is not None

    def start(self):
        """A cold pair, until it serves."""
        self.start_inbound()
        self.start_outbound()
        self.await_first()

    def stop(self):
        for process in (self.outbound, self.inbound):
            if process:
                process.stop()
        self.outbound = self.inbound = None

    def await_first(self):
        """Until a request has gone through both proxies."""
        def served():
            self.outbound.check()
            self.inbound.check()
            return answers(self.port, HOST)
        eventually(f"{self.name} serves {HOST}", served, pause=0.005)

    def check_policy(self):
        """What is measured is a mesh: a method that nobody may use is refused."""
        status = fetch(self.port, HOST, method="DELETE").split(b"\r\n")[0]
        if b" 403 " not in status:
            raise Failed(f"{self.name} let a DELETE pass that the policy does not allow: {status!r}")

    def time_to_ready(self):
        """Milliseconds from the start of the outbound proxy to its first 200, its peer being there already."""
        if self.outbound:
            self.outbound.stop()
        began = time.monotonic()
        self.start_outbound()
        self.await_first()
        return (time.monotonic() - began) * 1000

    def processes(self):
        return [self.outbound, self.inbound]

    def cpu(self):
        return sum(process.cpu() for process in self.processes())


class Ours(Side):
    """Our sidecars, with a control plane of their own, on the load's core, that tells them what to do."""

    def __init__(self, tools, work, app, name="bodyguard", mesh=None, profile="sidecar", cores=PROXY_CORE, yielding=False):
        """`mesh` is the folder of another mesh than the usual one; `yielding` has the control plane give way to load and app."""
        self.name, self.tools, self.app, self.cores = name, tools, app, cores
        self.work = folder(work, name)
        self.state, self.certificates, self.port = self.work / "state", folder(self.work, "certificates"), free_port()
        self.environment = {"BODYGUARD_PROFILE": profile}
        if mesh is None:
            mesh = folder(self.work, "mesh")
            for documents in MESH.glob("*.yaml"):
                filled(documents, mesh, APP_H2=app.h2_port)
        self.plane = Process("control-plane", [
            tools.bodyguard, "run", "-f", mesh, "--state", self.state, *(word for name in (
                "xds", "identity", "discovery", "telemetry", "otlp", "admin") for word in (f"--{name}-port", 0))],
            LOAD_CORE, self.work, yielding=yielding)

        def told():
            self.plane.check()
            return (self.state / "control-plane.json").exists()
        eventually("the control plane is ready", told)

    def certify(self, *services):
        """Puts keys and certificates of this mesh into `certificates`, a folder for each service: for the peer, as both sides show the
        same kind, and for who plays a caller."""
        for service in services:
            quiet([self.tools.bodyguard, "identity", "fetch", "--once", "--state", self.state, "--service", service,
                   "--out", self.certificates / service])

    def start_inbound(self):
        self.inbound = self.sidecar("payment-service", "v2")

    def start_outbound(self):
        self.outbound = self.sidecar("checkout", "v1", "--outbound-port", self.port)

    def inbound_port(self):
        """Where peers come in."""
        return self.told("payment-service", "inbound")

    def tcp(self):
        """Where bytes for the app's other port go in, and whither CONNECT has to lead there."""
        return self.port, f"127.0.0.1:{self.app.bytes_port}"

    def told(self, service, what):
        """A port that a sidecar has told of."""
        return int(json.loads((self.state / "sidecars" / service / "sidecar.json").read_text())[what].rsplit(":", 1)[1])

    def sidecar(self, service, version, *options):
        # Nothing remembered: the first start of a workload, not a restart.
        shutil.rmtree(self.state / "sidecars" / service, ignore_errors=True)
        return Process(service, [
            self.tools.bodyguard, "sidecar", "--state", self.state, "--service", service, "--version", version,
            "--name", service, "--app-port", self.app.port, "--access-log", "off", *options],
            self.cores, self.work, self.environment)

    def idle_sidecars(self, count):
        """So many sidecars more, each of a service of its own, once all are ready; whoever asked stops them."""
        names = [f"idle-{number}" for number in range(count)]
        started = [self.sidecar(name, "v1") for name in names]

        def ready():
            for process in started:
                process.check()
            return all(b" 200 " in answer[:20] for answer in map(self.readiness, names))
        eventually(f"{count} sidecars are ready", ready, pause=0.2)
        return started

    def readiness(self, service):
        try:
            return fetch(self.told(service, "admin"), "admin", "/healthz/ready")
        except (OSError, ValueError):
            # It has not told anything yet, or not the whole of it.
            return b""

    def stop_plane(self):
        self.plane.stop()


class Envoy(Side):
    """The same two places taken by Envoy, with what Istio would configure there."""

    name = "envoy"

    def __init__(self, tools, work, app, certificates):
        self.tools, self.app, self.certificates = tools, app, certificates
        self.work = folder(work, self.name)
        self.port, self.tcp_port, self.inbound_at = free_port(), free_port(), free_port()
        self.conf = {way: self.configured(f"envoy-{way}.yaml", self.work, self.port, self.tcp_port, self.inbound_at)
                     for way in ("outbound", "inbound")}

    def configured(self, name, work, outbound, tcp, inbound):
        return filled(PEERS / name, work, CERTIFICATES=self.certificates, APP=self.app.port, APP_H2=self.app.h2_port, BYTES=self.app.bytes_port,
                      OUTBOUND=outbound, TCP=tcp, INBOUND=inbound, OUT_ADMIN=free_port(), IN_ADMIN=free_port())

    def start_inbound(self):
        self.inbound = self.envoy("envoy-inbound", self.conf["inbound"])

    def start_outbound(self):
        self.outbound = self.envoy("envoy-outbound", self.conf["outbound"])

    def inbound_port(self):
        return self.inbound_at

    def tcp(self):
        return self.tcp_port, None

    def envoy(self, name, conf):
        return Process(name, [self.tools.envoy, "--concurrency", 1, "--disable-hot-restart", "--log-level", "error", "-c", conf],
                       PROXY_CORE, self.work)

    def idle_sidecars(self, count):
        """So many outbound Envoys more, once all answer."""
        started = []
        for number in range(count):
            work, port = folder(self.work, f"idle-{number}"), free_port()
            started.append(self.envoy(f"envoy-idle-{number}", self.configured("envoy-outbound.yaml", work, port, free_port(), self.inbound_at)))
            eventually("an Envoy more answers", lambda: started[-1].check() or answers(port, f"127.0.0.1:{self.app.port}"))
        return started


class Hop(Side):
    """A reverse proxy that is no sidecar: between caller and app alone, all in clear."""

    def __init__(self, name, command, conf, tools, work, app):
        self.name, self.command, self.tools, self.app, self.work = name, command, tools, app, folder(work, name)
        self.port = free_port()
        self.conf = filled(PEERS / conf, self.work, HOP=self.port, APP=app.port)

    def start(self):
        self.outbound = Process(self.name, [*self.command, self.conf], PROXY_CORE, self.work, self.tools.libraries)
        eventually(f"{self.name} answers", lambda: self.outbound.check() or answers(self.port, "app"), 10)

    def processes(self):
        return [self.outbound]


def hops(tools, work, app):
    """The peers of the hop in HTTP/1.1."""
    return [Hop("nginx", [tools.nginx, "-p", work, "-c"], "hop-nginx.conf", tools, work, app),
            Hop("haproxy", [tools.haproxy, "-db", "-f"], "hop-haproxy.cfg", tools, work, app)]


def folder(work, name):
    made = work / name
    made.mkdir(exist_ok=True)
    return made
