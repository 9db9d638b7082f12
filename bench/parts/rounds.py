"""The measurements: each alternates between the sides, round after round, and returns {side: [a value per round]}."""

import time

from parts.load import MIB, Idle
from parts.machine import say
from parts.sides import H2_HOST, HOST

STEP = 0.5
IDLE_CONNECTIONS = 1000
SIDECARS = 10
# Enough for half of what a core carries, at the latencies that go with it.
HALF_LOAD_CONNECTIONS = 32


def gathered(sides):
    return {side.name: [] for side in sides}


class Work:
    """Something that proxies are made to do.

    `run(side, seconds)` says how much of it was done, and as a second figure how much in a second, of handshakes the share of resumed
    ones, of bytes nothing; `by(side)` are the processes that pay.
    """

    def __init__(self, what, run, by):
        self.what, self.run, self.by = what, run, by

    def spent(self, side):
        """Seconds of CPU so far."""
        return sum(process.cpu() for process in self.by(side))


def works(load, app):
    """By the name of the figure that each is for."""
    # A host that the mesh does not know.
    hop = f"127.0.0.1:{app.port}"

    def tcp(side, seconds):
        port, through = side.tcp()
        total = round(seconds * 512) * MIB
        load.taken(port, through, total)
        return total / (1024 * MIB), None

    def handshakes(resume):
        def run(side, seconds):
            made, resumed = load.handshakes(side.inbound_port(), side.certificates / "checkout", seconds, resume)
            return made, resumed / max(1, made)
        return run

    def outbound(side):
        return [side.outbound]

    def inbound(side):
        return [side.inbound]
    return {
        "mtls-pair": Work("mTLS pair", lambda side, seconds: load.flooded(side.port, HOST, seconds), lambda side: side.processes()),
        "http1-hop": Work("HTTP/1.1 hop", lambda side, seconds: load.flooded(side.port, hop, seconds), outbound),
        "h2c-hop": Work("h2c hop", lambda side, seconds: load.h2_flooded(side.port, H2_HOST, seconds), outbound),
        "grpc": Work("gRPC hop", lambda side, seconds: load.grpc_flooded(side.port, H2_HOST, seconds), outbound),
        "stream": Work("stream", lambda side, seconds: load.flooded(side.port, hop, seconds, "/mib", 8), outbound),
        "tcp": Work("TCP", tcp, outbound),
        "handshakes full": Work("handshakes", handshakes(False), inbound),
        "handshakes resumed": Work("handshakes of sessions known", handshakes(True), inbound),
    }


def warm_up(sides, work, seconds):
    for side in sides:
        say(f"warming {side.name} for {seconds} s: {work.what}")
        work.run(side, seconds)


def cost(sides, rounds, seconds, work):
    """Seconds of CPU for one unit of some work, and the second figure of it."""
    costs, besides = gathered(sides), gathered(sides)
    for turn in range(rounds):
        say(f"{work.what}, round {turn + 1} of {rounds}")
        for side in sides:
            before = work.spent(side)
            done, beside = work.run(side, seconds)
            costs[side.name].append((work.spent(side) - before) / done)
            besides[side.name].append(beside)
    return costs, besides


def ready_and_idle(sides, rounds):
    """Start to ready in ms, and then, left alone, resident MB of the outbound proxy."""
    ready, idle = gathered(sides), gathered(sides)
    for side in sides:
        side.start()
    for turn in range(rounds):
        say(f"start to ready, round {turn + 1} of {rounds}")
        for side in sides:
            ready[side.name].append(side.time_to_ready())
        time.sleep(2)
        for side in sides:
            idle[side.name].append(side.outbound.resident())
    for side in sides:
        side.stop()
    return ready, idle


def cold(sides, rounds, seconds, load, app):
    """From a cold start on: CPU µs per request in each half second, resident MB of the larger proxy after that load, and MB that the
    pair takes for 1,000 idle connections more."""
    curves, loaded, growth = gathered(sides), gathered(sides), gathered(sides)
    for turn in range(rounds):
        for side in sides:
            say(f"cold start, round {turn + 1} of {rounds}: {side.name}")
            side.start()
            curves[side.name].append(curve(side, seconds, load, app))
            residents = [process.resident() for process in side.processes()]
            loaded[side.name].append(max(residents))
            held = Idle(side.port, HOST, IDLE_CONNECTIONS)
            time.sleep(1)
            growth[side.name].append(sum(process.resident() for process in side.processes()) - sum(residents))
            held.close()
            side.stop()
    return curves, loaded, growth


def curve(side, seconds, load, app):
    wrk = load.flood(side.port, HOST, seconds + 1)
    steps, began = [], time.monotonic()
    cpu, served = side.cpu(), app.served()
    for step in range(round(seconds / STEP)):
        time.sleep(max(0, began + (step + 1) * STEP - time.monotonic()))
        cpu_now, served_now = side.cpu(), app.served()
        steps.append((cpu_now - cpu, served_now - served))
        cpu, served = cpu_now, served_now
    wrk.popen.wait()
    wrk.stop()
    return steps


def added_latency(sides, rounds, seconds, load, app, rate, connections):
    """µs at p50, p99 and p99.9 that a pair adds at so many requests a second to what the app takes without one, in the same round."""
    added = [gathered(sides) for _ in range(3)]
    direct = [[], [], []]
    for turn in range(rounds):
        say(f"latency at {rate:.0f} requests a second, round {turn + 1} of {rounds}")
        alone = load.steady(app.port, HOST, seconds, rate, connections)
        through = {side.name: load.steady(side.port, HOST, seconds, rate, connections) for side in sides}
        for quantile in range(3):
            direct[quantile].append(alone[quantile])
            for name, values in through.items():
                added[quantile][name].append(values[quantile] - alone[quantile])
    return added, direct


def proportional(sides, rounds):
    """MB of proportional set size for each of ten proxies that share their files, idle, told again and again."""
    sizes = gathered(sides)
    for side in sides:
        say(f"{SIDECARS} of {side.name} at once")
        started = side.idle_sidecars(SIDECARS)
        time.sleep(2)
        for _ in range(rounds):
            sizes[side.name].append(sum(process.proportional() for process in started) / SIDECARS)
            time.sleep(0.5)
        # Each takes a moment to end: they do so together.
        for process in started:
            process.popen.terminate()
        for process in started:
            process.stop()
    return sizes
