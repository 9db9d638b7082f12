"""Both sides of the comparison: a pair of proxies, outbound beside the caller and inbound beside the app."""

import shutil
import time
from pathlib import Path

from parts.load import answers, fetch, filled
from parts.machine import LOAD_CORE, PROXY_CORE, Failed, Process, eventually, free_port
from parts.tools import quiet

MESH = Path(__file__).resolve().parents[1] / "mesh"
HOST = "payment-service"


class Side:
    """What the measurements ask of a pair. `outbound` and `inbound` are processes while it runs."""

    outbound = inbound = None

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
    """Our sidecars, with the control plane that tells them what to do on the load's core."""

    name = "bodyguard"

    def __init__(self, tools, work, app, options=()):
        self.tools, self.work, self.app, self.options = tools, work, app, list(options)
        self.state, self.port, self.environment = work / "state", free_port(), {}
        self.plane = Process("control-plane", [
            tools.bodyguard, "run", "-f", MESH, "--state", self.state, *(word for name in (
                "xds", "identity", "discovery", "telemetry", "otlp", "admin") for word in (f"--{name}-port", 0))],
            LOAD_CORE, work)

        def told():
            self.plane.check()
            return (self.state / "control-plane.json").exists()
        eventually("the control plane is ready", told)

    def certificates(self, *services):
        """Keys and certificates of this mesh in the work folder, for the peer: both sides show the same kind."""
        for service in services:
            quiet([self.tools.bodyguard, "identity", "fetch", "--once", "--state", self.state, "--service", service,
                   "--out", self.work / service])

    def start_inbound(self):
        self.inbound = self.sidecar("payment-service", "v2")

    def start_outbound(self):
        self.outbound = self.sidecar("checkout", "v1", "--outbound-port", self.port)

    def sidecar(self, service, version, *options):
        # Nothing remembered: the first start of a workload, not a restart.
        shutil.rmtree(self.state / "sidecars" / service, ignore_errors=True)
        return Process(service, [
            self.tools.bodyguard, "sidecar", "--state", self.state, "--service", service, "--version", version,
            "--name", service, "--app-port", self.app.port, "--access-log", "off", *options, *self.options],
            PROXY_CORE, self.work, self.environment)


class Envoy(Side):
    """The same two places taken by Envoy, with what Istio would configure there."""

    name = "envoy"

    def __init__(self, tools, work, app):
        self.tools, self.work, self.port = tools, work, free_port()
        ports = {"APP": app.port, "OUTBOUND": self.port, "INBOUND": free_port(),
                 "OUT_ADMIN": free_port(), "IN_ADMIN": free_port()}
        self.conf = {way: filled(f"envoy-{way}.yaml", work, **ports) for way in ("outbound", "inbound")}

    def start_inbound(self):
        self.inbound = self.envoy("inbound")

    def start_outbound(self):
        self.outbound = self.envoy("outbound")

    def envoy(self, way):
        return Process(f"envoy-{way}", [self.tools.envoy, "--concurrency", 1, "--disable-hot-restart", "--log-level", "error",
                                        "-c", self.conf[way]], PROXY_CORE, self.work)
