"""What was measured against what was aimed at: JSON for machines, a table for readers."""

from statistics import median


class Figure:
    """One figure of both sides.

    `goal` is the bound for our own value, in its unit: a bound that is a multiple of the peer's is multiplied already.
    """

    def __init__(self, name, unit, ours, peer, times=None, at_most=None, better="lower", rare=False):
        """`rare` is a figure that hangs on a handful of requests a round: goal or not, no verdict where the sides' rounds overlap."""
        self.name, self.unit, self.better, self.rare = name, unit, better, rare
        self.rounds = {"ours": ours, "peer": peer}
        self.ours, self.peer = median(ours), median(peer)
        sign = "≥" if better == "higher" else "≤"
        if times is None:
            self.goal, self.rule = at_most, f"{sign} {at_most:g} {unit}".strip()
        else:
            self.goal, self.rule = times * self.peer, f"{sign} {times:g} × Envoy"
        self.met = None if rare and self.overlaps() else self.ours >= self.goal if better == "higher" else self.ours <= self.goal

    def overlaps(self):
        """Whether some round of either side lies within those of the other."""
        ours, peer = self.rounds["ours"], self.rounds["peer"]
        return max(min(ours), min(peer)) <= min(max(ours), max(peer))

    def json(self):
        spread = {side: [rounded(min(values)), rounded(max(values))] for side, values in self.rounds.items()}
        return {"name": self.name, "unit": self.unit, "ours": rounded(self.ours), "peer": rounded(self.peer),
                "ratio": rounded(self.ratio()), "goal": rounded(self.goal), "rule": self.rule, "better": self.better,
                "met": self.met, "minMax": spread, "rounds": len(self.rounds["ours"])}

    def ratio(self):
        return self.ours / self.peer if self.peer > 0 else None

    def row(self):
        def cell(side, value):
            values = self.rounds[side]
            return f"{shown(value)} ({shown(min(values))}–{shown(max(values))})"
        ratio = self.ratio()
        return " | ".join(["", f"`{self.name}`" + (f", {self.unit}" if self.unit else ""), cell("ours", self.ours), cell("peer", self.peer),
                           f"{ratio:.2f}" if ratio is not None else "", self.rule, self.verdict(), ""]).strip()

    def verdict(self):
        if self.met is None:
            return "not told apart"
        if self.met:
            return "met"
        if self.goal <= 0:
            return "**missed**"
        return f"**missed**, {self.ours / self.goal:.2f} × the goal"


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


def table(figures, curves, machine, direct):
    lines = [
        f"`bench/compare{' --quick' if machine['quick'] else ''}`: median of {machine['rounds']}{' short' if machine['quick'] else ''} rounds in "
        f"alternation, with least and most. {machine['text']}",
        "",
        "`ready ms` is not the same work: bodyguard enrols and is certified and configured over the network by a control plane, Envoy "
        "reads certificate and configuration from files. p99.9 is of a few requests a round: it has a verdict only where the rounds of the two do not overlap.",
        "",
        "| figure | bodyguard | Envoy 1.40 | ratio | goal | |",
        "|---|---|---|---|---|---|",
        *(figure.row() for figure in figures),
        "",
        "CPU µs per request in each second after a cold start, all the load that 64 connections carry:",
        "",
        "| second | " + " | ".join(str(at + 1) for at in range(len(curves["bodyguard"]))) + " |",
        "|---|" + "---|" * len(curves["bodyguard"]),
        *(f"| {name} | " + " | ".join(shown(value) for value in values) + " |" for name, values in curves.items()),
        "",
        "Without any proxy the app answers with p50, p99 and p99.9 of " + ", ".join(shown(value) for value in direct) + " µs.",
    ]
    missed = [figure for figure in figures if figure.met is False]
    lines += ["", "Missed: " + ("none." if not missed else "; ".join(
        f"`{figure.name}` is {shown(figure.ours)}{' ' + figure.unit if figure.unit else ''}, the goal {shown(figure.goal)}" for figure in missed) + ".")]
    return "\n".join(lines)
