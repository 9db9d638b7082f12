"""What callers feel of a change of plan: 1,000 services with ten routes each, all of which change at once."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from parts.load import answers, fetch
from parts.machine import Failed, eventually, say
from parts.sides import Ours, folder

SERVICES, ROUTES = 1000, 10
ASKED = "service-500"
# Seconds of load before the edit, and at most from there until it is in force.
BEFORE, PATIENCE = 1.0, 60


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
""" for prefix in [*(f"/api/v{version}/" for version in range(ROUTES - 1)), "/"])
    return f"""apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: service-{number}}}
spec:
  hosts: [{host}]
  http:
{routes}"""


class Wide:
    """Our outbound proxy with a plan of 1,000 services, each of which somebody has asked for."""

    def __init__(self, tools, work, app):
        self.mesh, self.app, self.generation = folder(work, "wide-mesh"), app, 0
        self.write()
        # What compiles the change is not what is measured, and it has the load's core.
        self.ours = Ours(tools, work, app, name="wide", mesh=self.mesh, yielding=True)
        self.ours.start_outbound()
        eventually(f"{ASKED} is served", lambda: self.ours.outbound.check() or answers(self.ours.port, ASKED))
        say(f"asking each of {SERVICES} services for a first answer")
        names = [f"service-{number}" for number in range(SERVICES)]
        with ThreadPoolExecutor(8) as askers:
            missing = [name for name, served in zip(names, askers.map(self.asked_often, names)) if not served]
        if missing:
            raise Failed(f"{len(missing)} services of {SERVICES} do not answer, {missing[0]} among them")

    def asked_often(self, name):
        """A first request waits for its rules for a second at most, and then is told to come again."""
        return any(answers(self.ours.port, name) for _ in range(10))

    def write(self):
        written = self.mesh / ".new"
        written.write_text(mesh(self.app.port, self.generation))
        written.rename(self.mesh / "wide.yaml")

    def in_force(self):
        """The generation of the rule that answers."""
        found = re.search(rb"x-generation: (\d+)", fetch(self.ours.port, ASKED))
        return int(found.group(1)) if found else None

    def swap(self):
        self.generation += 1
        self.write()

    def stop(self):
        self.ours.stop()
        self.ours.stop_plane()


def latencies(wide, rounds, seconds, load):
    """µs of a p99 without a swap, of the longest request while one is made, and of the longest of a run without, each a round."""
    calm, longest, longest_calm = [], [], []
    load.steady(wide.ours.port, ASKED, seconds)
    for turn in range(rounds):
        say(f"swaps of the plan, round {turn + 1} of {rounds}")
        quiet = load.steady(wide.ours.port, ASKED, seconds)
        calm.append(quiet[1])
        longest_calm.append(quiet[3])
        longest.append(swapped(wide, seconds, load))
    return calm, longest, longest_calm


def swapped(wide, seconds, load):
    """µs of the longest request, from before an edit until it is in force."""
    edit = threading.Timer(BEFORE, wide.swap)
    edit.start()
    end, longest = time.monotonic() + PATIENCE, load.steady(wide.ours.port, ASKED, seconds)[3]
    edit.join()
    while wide.in_force() != wide.generation:
        if time.monotonic() > end:
            raise Failed(f"a change of {SERVICES} services is not in force {PATIENCE} s after the edit, so no swap was measured")
        longest = max(longest, load.steady(wide.ours.port, ASKED, seconds)[3])
    return longest
