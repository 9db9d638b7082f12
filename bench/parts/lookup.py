"""How long a route is looked for among 10,000, by the JMH bench of modules/bench."""

import json
from statistics import fmean

from parts.machine import PROXY_CORE, Failed, Process, say


def jvm_options(tools, profile):
    """What a sidecar's JVM is told in a profile, less what only a sidecar understands."""
    lines = (tools.bodyguard.parent / "conf" / f"{profile}.args").read_text().splitlines()
    return [line for line in lines if line.startswith("-X")]


def nanoseconds(tools, work, profile, forks, seconds):
    """Of each fork the mean: a mesh of 1,000 services with ten prefixes each, to 1,000 clusters, requests drawn from all of them alike."""
    say(f"looking up routes, {forks} forks, {profile}")
    milliseconds = f"{round(1000 * seconds)}ms"
    out = work / f"lookup-{profile}.json"
    bench = Process("lookup", [
        tools.benchmarks, "--built", "RouteMatching.lookup", "-p", "shape=SERVICES", "-f", forks, "-wi", 3, "-w", milliseconds,
        "-i", 2, "-r", milliseconds, "-rf", "json", "-rff", out, "-jvmArgs", " ".join(jvm_options(tools, profile))], PROXY_CORE, work)
    status = bench.popen.wait()
    bench.stop()
    if status or not out.exists():
        raise Failed(f"the bench ended with status {status}:\n{bench.log.read_text(errors='replace')[-2000:]}")
    metric = json.loads(out.read_text())[0]["primaryMetric"]
    if metric["scoreUnit"] != "ns/op":
        raise Failed(f"the bench tells {metric['scoreUnit']}, not ns/op")
    return [fmean(iterations) for iterations in metric["rawData"]]
