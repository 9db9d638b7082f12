"""What callers feel of a change of plan: 1,000 services with ten routes each, all of which change at once."""

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from parts.load import PEERS, answers, fetch, filled
from parts.machine import PROXY_CORE, Failed, Process, eventually, free_port, say
from parts.sides import Ours, folder

SERVICES, ROUTES = 1000, 10
ASKED = "service-500"
PREFIXES = [*(f"/api/v{version}/" for version in range(ROUTES - 1)), "/"]
# Seconds of load before the edit, and at most from there until it is in force.
BEFORE, PATIENCE = 0.5, 60


def mesh(app_port, generation):
    """The documents, of which each rule carries the generation."""
    return "---\n".join(service(number, app_port) + "---\n" + rules(number, generation) for number in range(SERVICES))


def service(number, app_port):
    return f"""apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: service-{number}}}
spec:
  hosts: [service-{number}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - {{number: 80, name: http, protocol: HTTP, targetPort: {app_port}}}
  endpoints:
    - {{address: 127.0.0.1}}
"""


def rules(number, generation):
    host = f"service-{number}.default.svc.cluster.local"
    routes = "".join(f"""    - match: [{{uri: {{prefix: {prefix}}}}}]
      route:
        - destination: {{host: {host}, port: {{number: 80}}}}
      headers: {{response: {{set: {{x-generation: "{generation}"}}}}}}
""" for prefix in PREFIXES)
    return f"""apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: service-{number}}}
spec:
  hosts: [{host}]
  http:
{routes}"""


def envoys_routes(generation):
    """The same for Envoy: what it reads instead of a route discovery service's answer."""
    hosts = [{
        "name": f"service-{number}", "domains": [f"service-{number}", f"service-{number}.default.svc.cluster.local"],
        "routes": [{
            "match": {"prefix": prefix}, "route": {"cluster": f"service-{number}"},
            "response_headers_to_add": [{"header": {"key": "x-generation", "value": str(generation)}}],
        } for prefix in PREFIXES],
    } for number in range(SERVICES)]
    return json.dumps({"version_info": str(generation), "resources": [{
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name": "wide", "virtual_hosts": hosts}]})


def envoys_clusters(app_port):
    """As many as services, in a form that its configuration may hold."""
    return json.dumps([{
        "name": f"service-{number}", "type": "STATIC", "connect_timeout": "5s", "load_assignment": {
            "cluster_name": f"service-{number}", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                "address": "127.0.0.1", "port_value": app_port}}}}]}]},
    } for number in range(SERVICES)])


class Wide:
    """An outbound proxy with a plan of 1,000 services: at `port`, of a generation that is written anew for a swap."""

    generation = 0

    def in_force(self):
        """The generation of the rule that answers."""
        found = re.search(rb"x-generation: (\d+)", fetch(self.port, ASKED))
        return int(found.group(1)) if found else None

    def swap(self):
        self.generation += 1
        self.write()

    def put(self, path, text):
        """Whoever watches a file sees it whole."""
        written = path.parent / ".new"
        written.write_text(text)
        written.rename(path)


class WideOurs(Wide):
    """Ours, of which somebody has asked for each service."""

    name = "bodyguard"

    def __init__(self, tools, work, app):
        self.mesh, self.app = folder(work, "wide-mesh"), app
        self.write()
        # What compiles the change is not what is measured, and it has the load's core.
        self.ours = Ours(tools, work, app, name="wide", mesh=self.mesh, yielding=True)
        self.port = self.ours.port
        self.ours.start_outbound()
        eventually(f"{ASKED} is served", lambda: self.ours.outbound.check() or answers(self.port, ASKED))
        say(f"asking each of {SERVICES} services for a first answer")
        names = [f"service-{number}" for number in range(SERVICES)]
        with ThreadPoolExecutor(8) as askers:
            missing = [name for name, served in zip(names, askers.map(self.asked_often, names)) if not served]
        if missing:
            raise Failed(f"{len(missing)} services of {SERVICES} do not answer, {missing[0]} among them")

    def asked_often(self, name):
        """A first request waits for its rules for a second at most, and then is told to come again."""
        return any(answers(self.port, name) for _ in range(10))

    def write(self):
        self.put(self.mesh / "wide.yaml", mesh(self.app.port, self.generation))

    def stop(self):
        self.ours.stop()
        self.ours.stop_plane()


class WideEnvoy(Wide):
    """Envoy, whose routes are in a file that it watches."""

    name = "envoy"

    def __init__(self, tools, work, app):
        self.work, self.port = folder(work, "wide-envoy"), free_port()
        self.write()
        conf = filled(PEERS / "envoy-wide.yaml", self.work, OUTBOUND=self.port, ADMIN=free_port(), CLUSTERS=envoys_clusters(app.port))
        self.process = Process("envoy-wide", [tools.envoy, "--concurrency", 1, "--disable-hot-restart", "--log-level", "error", "-c", conf],
                               PROXY_CORE, self.work)
        eventually(f"Envoy serves {ASKED}", lambda: self.process.check() or answers(self.port, ASKED))

    def write(self):
        self.put(self.work / "routes.json", envoys_routes(self.generation))

    def stop(self):
        self.process.stop()


def latencies(sides, rounds, seconds, load):
    """µs of a p99 without a swap, of the longest request while one is made, and of the longest of a run without: each side's, by round."""
    calm, longest, longest_calm = ({side.name: [] for side in sides} for _ in range(3))
    for side in sides:
        load.steady(side.port, ASKED, seconds)
    for turn in range(rounds):
        say(f"swaps of the plan, round {turn + 1} of {rounds}")
        for side in sides:
            quiet = load.steady(side.port, ASKED, seconds)
            calm[side.name].append(quiet[1])
            longest_calm[side.name].append(quiet[3])
            longest[side.name].append(swapped(side, seconds, load))
    return calm, longest, longest_calm


def swapped(side, seconds, load):
    """µs of the longest request, from before an edit until it is in force."""
    edit = threading.Timer(BEFORE, side.swap)
    edit.start()
    end, longest = time.monotonic() + PATIENCE, load.steady(side.port, ASKED, seconds)[3]
    edit.join()
    while side.in_force() != side.generation:
        if time.monotonic() > end:
            raise Failed(f"a change of {SERVICES} services is not in force {PATIENCE} s after the edit, so no swap was measured")
        longest = max(longest, load.steady(side.port, ASKED, seconds)[3])
    return longest
