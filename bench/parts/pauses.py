"""How long the collector of our sidecars' heaps holds everything up."""

import re

from parts.machine import Failed, say
from parts.rounds import HALF_LOAD_CONNECTIONS
from parts.sides import HOST

PAUSE = re.compile(r"GC\(\d+\) Pause .* ([\d.]+)ms$", re.MULTILINE)


def under_load(side, seconds, load, rate):
    """Milliseconds of each pause of a fresh pair, from its start on; 0 alone where there was none."""
    say(f"pauses of the collector, for {seconds} s at {rate:.0f} requests a second")
    before = side.environment
    side.environment = {**before, "BODYGUARD_JAVA_OPTS": f"-Xlog:gc:file={side.work}/gc-%p.log"}
    try:
        side.stop()
        side.start()
        load.steady(side.port, HOST, seconds, rate, HALF_LOAD_CONNECTIONS)
        logs = [side.work / f"gc-{process.pid}.log" for process in side.processes()]
        side.stop()
    finally:
        side.environment = before
    for log in logs:
        if not log.exists():
            raise Failed(f"{log} is missing: the sidecar was not told to tell of its pauses")
    return [float(length) for log in logs for length in PAUSE.findall(log.read_text())] or [0.0]
