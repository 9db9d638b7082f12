"""The measurements: each alternates between the sides, round after round, and returns {side: [a value per round]}."""

import time

from parts.load import Idle
from parts.machine import say
from parts.sides import HOST

STEP = 0.5
IDLE_CONNECTIONS = 1000


def gathered(sides):
    return {side.name: [] for side in sides}


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


def warm_up(sides, seconds, load, app):
    for side in sides:
        say(f"warming {side.name} for {seconds} s")
        side.start()
        load.flooded(side.port, HOST, seconds)
        load.flooded(side.port, hop_host(app), max(1, seconds // 3))


def hop_host(app):
    """A host that the mesh does not know: a hop through the outbound proxy only."""
    return f"127.0.0.1:{app.port}"


def cpu_per_request(sides, rounds, seconds, load, host, of, what):
    """CPU µs per request of the processes that `of` names, and requests per second, as many as 64 connections carry."""
    cost, rate = gathered(sides), gathered(sides)
    for turn in range(rounds):
        say(f"{what}, round {turn + 1} of {rounds}")
        for side in sides:
            before = sum(process.cpu() for process in of(side))
            requests, per_second = load.flooded(side.port, host, seconds)
            cost[side.name].append((sum(process.cpu() for process in of(side)) - before) * 1e6 / requests)
            rate[side.name].append(per_second)
    return cost, rate


def added_latency(sides, rounds, seconds, load, app):
    """µs at p50, p99 and p99.9 that a pair adds at 1,000 requests a second to what the app takes without one, in the same round."""
    added = [gathered(sides) for _ in range(3)]
    direct = [[], [], []]
    for turn in range(rounds):
        say(f"latency, round {turn + 1} of {rounds}")
        alone = load.steady(app.port, HOST, seconds)
        through = {side.name: load.steady(side.port, HOST, seconds) for side in sides}
        for quantile in range(3):
            direct[quantile].append(alone[quantile])
            for name, values in through.items():
                added[quantile][name].append(values[quantile] - alone[quantile])
    return added, direct
