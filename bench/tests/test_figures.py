"""What is made of measured values: bounds, verdicts, rows."""

import unittest

from parts import figures
from parts.figures import GOALS, Figure, Unmeasured


def both(ours, envoys):
    return {"bodyguard": ours, "envoy": envoys}


class Goals(unittest.TestCase):
    def test_every_gateway_figure_is_one_of_the_sidecar_too(self):
        for name in GOALS:
            self.assertIn(name.removesuffix(" gateway"), GOALS)

    def test_no_word_asks_for_all_figures(self):
        self.assertEqual(list(GOALS), figures.chosen([]))

    def test_a_word_asks_for_whatever_begins_with_it(self):
        self.assertEqual(["tcp cpu", "tcp cpu gateway", "gc max ms"], figures.chosen(["gc max ms", "tcp"]))

    def test_half_a_word_asks_for_nothing(self):
        with self.assertRaisesRegex(ValueError, "no figure 'rs'; there are mtls-pair cpu, "):
            figures.chosen(["tcp", "rs"])


class Verdicts(unittest.TestCase):
    def test_a_multiple_of_envoys_median_is_met_up_to_the_bound(self):
        self.assertTrue(Figure("mtls-pair cpu", both([70, 75, 90], [100, 100, 300])).met)

    def test_what_is_above_is_missed_and_says_by_how_much(self):
        self.assertEqual("**missed**, 1.20 × the goal", Figure("mtls-pair cpu", both([90], [100])).verdict())

    def test_where_higher_is_better_the_bound_is_the_least(self):
        self.assertTrue(Figure("throughput", both([131], [100])).met)
        self.assertFalse(Figure("throughput", both([129], [100])).met)

    def test_a_goal_of_our_own_is_reckoned_from_the_reference(self):
        figure = Figure("two-loops cpu", {"bodyguard": [111]}, reference=[100])

        self.assertFalse(figure.met)
        self.assertIn("≤ 1.1 × that with one loop (100)", figures.row(figure))

    def test_rounds_that_overlap_have_no_verdict_on_a_rare_figure(self):
        self.assertEqual("not told apart", Figure("half-load p99.9", both([1, 5], [4, 9])).verdict())
        self.assertFalse(Figure("half-load p99.9", both([10, 11], [4, 9])).met)

    def test_a_figure_without_a_goal_is_neither_met_nor_missed(self):
        figure = Figure("pss ten", both([60], [20]))

        self.assertIsNone(figure.met)
        self.assertEqual("", figure.verdict())

    def test_of_pauses_the_longest_counts(self):
        figure = Figure("gc max ms", {"bodyguard": [1, 1, 1, 6]}, worst=True)

        self.assertEqual("**missed**, 1.20 × the goal", figure.verdict())

    def test_a_bound_below_zero_is_missed_without_a_ratio(self):
        self.assertEqual("**missed**", Figure("mtls-pair p50", both([10], [-5])).verdict())


class Rows(unittest.TestCase):
    ABOUT = {"quick": True, "rounds": 5, "text": "Here."}

    def test_each_side_has_a_cell(self):
        figure = Figure("http1-hop cpu", {**both([20, 22, 21], [40]), "nginx": [25], "haproxy": [24]})

        self.assertEqual("| `http1-hop cpu`, µs | 21 (20–22) | 40 (40–40) | 25 (25–25) | 24 (24–24) | 0.53 | ≤ 0.5 × Envoy | "
                         "**missed**, 1.05 × the goal |", figures.row(figure))

    def test_what_is_not_measured_says_why_in_its_row_and_in_json(self):
        figure = Unmeasured("two-loops cpu", "this machine has one core")

        self.assertEqual("| `two-loops cpu`, µs | | | | | | ≤ 1.1 × that with one loop | not measured: this machine has one core |",
                         " ".join(figures.row(figure).split()))
        self.assertEqual("this machine has one core", figure.json()["unmeasured"])
        self.assertIsNone(figure.json()["met"])

    def test_a_table_of_some_figures_has_these_their_notes_and_what_is_missed(self):
        table = figures.table([Figure("ready ms", both([900], [50]), note="slow"), Unmeasured("tcp cpu", "no time")], {}, self.ABOUT, {})

        self.assertIn("- `ready ms`: slow", table)
        self.assertTrue(table.endswith("Missed: `ready ms` is 900 ms, the goal 800."), table)
        self.assertNotIn("cold start", table)

    def test_all_rows_have_as_many_cells_as_the_head(self):
        rows = [Figure(name, both([1], [1]), reference=[1]) for name in GOALS] + [Unmeasured(name, "why") for name in GOALS]
        table = figures.table(rows, {"bodyguard": [1.0], "envoy": [2.0]}, self.ABOUT, {1000: [1, 2, 3]})

        of_figures = [line for line in table.splitlines() if line.startswith(("| `", "| figure"))]
        self.assertEqual(2 * len(GOALS) + 1, len(of_figures))
        self.assertEqual({len(of_figures[0].split(" | "))}, {len(line.split(" | ")) for line in of_figures})


class Curves(unittest.TestCase):
    def test_cpu_without_a_request_counts_as_one_requests(self):
        self.assertEqual(500_000, figures.per_request([(0.5, 0)]))

    def test_two_half_seconds_make_a_second(self):
        self.assertEqual([150, 100], [round(cost) for cost in figures.seconds_of([(0.2, 1000), (0.1, 1000), (0.1, 1000), (0.1, 1000), (9, 1)], 0.5)])

    def test_a_curve_that_never_gets_there_counts_whole(self):
        self.assertEqual(1.0, figures.until_cost([(0.2, 1000), (0.2, 1000)], 0.5, 100))
        self.assertEqual(0.5, figures.until_cost([(0.2, 1000), (0.1, 1000)], 0.5, 100))


if __name__ == "__main__":
    unittest.main()
