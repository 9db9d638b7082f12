"""What is aimed at, what was measured against it, and how both are told: JSON for machines, a table for readers."""

from statistics import median

OURS, PEER = "bodyguard", "envoy"
# The columns of the table: what a side is called here, and what its readers call it.
COLUMNS = {OURS: "bodyguard", PEER: "Envoy 1.40", "nginx": "nginx", "haproxy": "HAProxy"}


class Goal:
    """A bound for our own value: a multiple of Envoy's, of our own under other conditions, or a number; none where it is only told."""

    def __init__(self, unit, times=None, own=None, at_most=None, than="", better="lower", rare=False):
        """`times` multiplies Envoy's value, `own` ours under the condition that `than` names. `rare` is a figure that hangs on a handful
        of requests a round: no verdict where the sides' rounds overlap."""
        self.unit, self.times, self.own, self.at_most, self.than, self.better, self.rare = unit, times, own, at_most, than, better, rare

    def bound(self, peer, reference):
        """The bound in our value's unit; None where there is none, or nothing to reckon it from."""
        if self.times is not None:
            return None if peer is None else self.times * peer
        if self.own is not None:
            return None if reference is None else self.own * reference
        return self.at_most

    def rule(self, reference=None):
        sign = "≥" if self.better == "higher" else "≤"
        if self.times is not None:
            return f"{sign} {self.times:g} × Envoy"
        if self.own is not None:
            return f"{sign} {self.own:g} × {self.than}" + ("" if reference is None else f" ({shown(reference)})")
        return "" if self.at_most is None else f"{sign} {self.at_most:g} {self.unit}"


# Every figure there is, in the table's order. The suffix is the profile in which our sidecars ran.
GOALS = {
    "mtls-pair cpu": Goal("µs", times=0.75),
    "mtls-pair cpu gateway": Goal("µs", times=0.5),
    "http1-hop cpu": Goal("µs", times=0.5),
    "http1-hop cpu gateway": Goal("µs"),
    "h2c-hop cpu": Goal("µs", times=0.8),
    "h2c-hop cpu gateway": Goal("µs"),
    "grpc cpu": Goal("µs", times=0.8),
    "grpc cpu gateway": Goal("µs"),
    "stream cpu": Goal("µs/MiB", times=0.8),
    "stream cpu gateway": Goal("µs/MiB"),
    "tcp cpu": Goal("ms/GiB", times=1.0),
    "tcp cpu gateway": Goal("ms/GiB"),
    "throughput": Goal("1/s", times=1.3, better="higher"),
    "throughput gateway": Goal("1/s", better="higher"),
    "two-loops cpu": Goal("µs", own=1.1, than="that with one loop"),
    "mtls-pair p50": Goal("µs", times=0.7),
    "mtls-pair p99": Goal("µs", times=0.75),
    "mtls-pair p99.9": Goal("µs", times=1.0, rare=True),
    "half-load p50": Goal("µs", times=0.7),
    "half-load p99": Goal("µs", times=0.75),
    "half-load p99.9": Goal("µs", times=1.0, rare=True),
    "half-load p50 gateway": Goal("µs"),
    "half-load p99 gateway": Goal("µs"),
    "half-load p99.9 gateway": Goal("µs", rare=True),
    "first-second cpu": Goal("µs", times=2.0),
    "warm-up s": Goal("s", at_most=1.5),
    "ready ms": Goal("ms", at_most=800),
    "rss idle": Goal("MB", at_most=65),
    "rss loaded": Goal("MB", times=1.0),
    "rss loaded gateway": Goal("MB"),
    "rss per-1000": Goal("MB", at_most=2),
    "pss ten": Goal("MB"),
    "handshakes full": Goal("1/s", times=1.0, better="higher"),
    "handshakes resumed": Goal("1/s", times=1.0, better="higher"),
    "gc max ms": Goal("ms", at_most=5),
    "route lookup ns": Goal("ns", at_most=1000),
    "route lookup ns gateway": Goal("ns", at_most=1000),
    "swap p99": Goal("µs", own=2.0, than="p99 without a swap"),
}


class Figure:
    """One figure of every side that was measured.

    `values` has a list for each side, of a value per round; ours is among them. `reference` is our own value, round by round, under the
    condition that the goal compares with. A figure is the median of its rounds; `worst` is one of which the largest value counts.
    """

    def __init__(self, name, values, reference=None, worst=False, note=""):
        self.name, self.goal, self.values, self.note = name, GOALS[name], values, note
        self.told = {side: (max if worst else median)(of) for side, of in values.items()}
        self.ours, self.peer = self.told[OURS], self.told.get(PEER)
        self.reference = None if reference is None else median(reference)
        self.bound = self.goal.bound(self.peer, self.reference)
        self.met = self.judged()

    def judged(self):
        """Whether the goal is met; None where there is none, or the sides are not told apart."""
        if self.bound is None or self.goal.rare and self.overlaps():
            return None
        return self.ours >= self.bound if self.goal.better == "higher" else self.ours <= self.bound

    def overlaps(self):
        """Whether some round of either side lies within those of the other."""
        ours, peer = self.values[OURS], self.values.get(PEER, ())
        return bool(peer) and max(min(ours), min(peer)) <= min(max(ours), max(peer))

    def ratio(self):
        return self.ours / self.peer if self.peer is not None and self.peer > 0 else None

    def json(self):
        ratio = self.ratio()
        return {"name": self.name, "unit": self.goal.unit, "ours": rounded(self.ours), "peer": rounded(self.peer),
                "others": {side: rounded(value) for side, value in self.told.items() if side not in (OURS, PEER)},
                "ratio": rounded(ratio), "goal": rounded(self.bound), "rule": self.goal.rule(self.reference),
                "better": self.goal.better, "met": self.met, "note": self.note,
                "minMax": {side: [rounded(min(of)), rounded(max(of))] for side, of in self.values.items()},
                "rounds": len(self.values[OURS])}

    def cells(self):
        ratio = self.ratio()
        return [*(self.cell(side) for side in COLUMNS), "" if ratio is None else f"{ratio:.2f}", self.goal.rule(self.reference), self.verdict()]

    def cell(self, side):
        of = self.values.get(side)
        return "" if of is None else f"{shown(self.told[side])} ({shown(min(of))}–{shown(max(of))})"

    def verdict(self):
        if self.met is None:
            return "not told apart" if self.bound is not None else ""
        if self.met:
            return "met"
        if self.bound <= 0:
            return "**missed**"
        return f"**missed**, {self.ours / self.bound:.2f} × the goal"


class Unmeasured:
    """A figure that there is none of, and why."""

    met, note = None, ""

    def __init__(self, name, reason):
        self.name, self.goal, self.reason = name, GOALS[name], reason

    def json(self):
        return {"name": self.name, "unit": self.goal.unit, "rule": self.goal.rule(), "better": self.goal.better, "met": None,
                "unmeasured": self.reason}

    def cells(self):
        return [*("" for _ in COLUMNS), "", self.goal.rule(), f"not measured: {self.reason}"]


def chosen(words):
    """Names of the figures that a list of words asks for: each a name, or the beginning of names up to a blank. No word asks for all."""
    names = []
    for word in words:
        meant = [name for name in GOALS if name == word or name.startswith(f"{word} ")]
        if not meant:
            raise ValueError(f"there is no figure {word!r}; there are {', '.join(GOALS)}")
        names += meant
    return [name for name in GOALS if name in names or not words]


def shown(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def rounded(value):
    return None if value is None else float(f"{value:.4g}")


def per_request(steps):
    """CPU µs per request over some steps of a curve; where nothing was served all of it counts as one request's."""
    return sum(cpu for cpu, _ in steps) * 1e6 / max(1, sum(served for _, served in steps))


def seconds_of(curve, step):
    """A curve's cost in each whole second."""
    size = round(1 / step)
    return [per_request(curve[at:at + size]) for at in range(0, len(curve) - size + 1, size)]


def until_cost(curve, step, target):
    """Seconds until a half second costs no more than the target; those of the whole curve where none does."""
    for at, part in enumerate(curve):
        if per_request([part]) <= target:
            return at * step
    return len(curve) * step


def row(figure):
    unit = figure.goal.unit
    # A name that says its unit says it once.
    title = f"`{figure.name}`" + ("" if unit in figure.name.split() else f", {unit}")
    return "| " + " | ".join([title, *figure.cells()]) + " |"


def table(figures, curves, machine, direct):
    """`curves` and `direct` are empty where nothing measured them."""
    lines = [
        f"`bench/compare{' --quick' if machine['quick'] else ''}`: median of {machine['rounds']}{' short' if machine['quick'] else ''} rounds in "
        f"alternation, with least and most. {machine['text']}",
        "",
        "`ready ms` is not the same work: bodyguard enrols and is certified and configured over the network by a control plane, Envoy "
        "reads certificate and configuration from files. p99.9 is of a few requests a round: it has a verdict only where the rounds of "
        "the two do not overlap. The suffix `gateway` is our sidecar with all tiers of the JIT (`BODYGUARD_PROFILE=gateway`).",
        "",
        f"| figure | {' | '.join(COLUMNS.values())} | ratio | goal | |",
        "|---|" + "---|" * (len(COLUMNS) + 3),
        *(row(figure) for figure in figures),
    ]
    notes = [f"- `{figure.name}`: {figure.note}" for figure in figures if figure.note]
    if notes:
        lines += ["", *notes]
    if curves:
        lines += [
            "",
            "CPU µs per request in each second after a cold start, all the load that 64 connections carry:",
            "",
            "| second | " + " | ".join(str(at + 1) for at in range(len(curves[OURS]))) + " |",
            "|---|" + "---|" * len(curves[OURS]),
            *(f"| {name} | " + " | ".join(shown(value) for value in values) + " |" for name, values in curves.items()),
        ]
    if direct:
        lines += ["", "Without any proxy the app answers with p50, p99 and p99.9 of " + "; ".join(
            f"{', '.join(shown(value) for value in values)} µs at {shown(rate)} requests a second" for rate, values in direct.items()) + "."]
    missed = [figure for figure in figures if figure.met is False]
    lines += ["", "Missed: " + ("none." if not missed else "; ".join(
        f"`{figure.name}` is {shown(figure.ours)} {figure.goal.unit}, the goal {shown(figure.bound)}" for figure in missed) + ".")]
    return "\n".join(lines)
