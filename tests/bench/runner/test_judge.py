"""The judge must be able to condemn. `run.sh --self-test` runs this."""

import unittest

from . import judge, results
from .plan import RATE, TIMES, Work

FLOW = Work("A", "flow", RATE)
ROUND_TRIP = Work("B", "round trip", TIMES)


def sample(work, series, value, lost=0, mode="open"):
    return results.Sample(work.name, series, mode, {work.metrics[0].key: value, "lost": lost},
                          foreign=0.0, noisy=False)


def complaints(plan, samples, ratio):
    recorded = {item.name: {"netcluster": ratio} for item in plan}
    return [text for _, text in judge.complaints(plan, samples, recorded)]


class Judge(unittest.TestCase):
    def flow(self, ours, lost=0):
        return [sample(FLOW, "raw", 1000), sample(FLOW, "netcluster", ours, lost)]

    def test_as_good_as_recorded_is_fine(self):
        self.assertEqual(complaints([FLOW], self.flow(400), 0.4), [])

    def test_a_little_worse_than_recorded_is_noise(self):
        self.assertEqual(complaints([FLOW], self.flow(210), 0.4), [])

    def test_less_than_half_of_what_was_recorded_is_condemned(self):
        said = complaints([FLOW], self.flow(190), 0.4)
        self.assertEqual(said, ["netcluster: 0.19 of raw, 2.1 times worse than the 0.4 recorded"])

    def test_times_are_worse_when_they_are_more(self):
        def round_trip(ours):
            return [sample(ROUND_TRIP, "raw", 10), sample(ROUND_TRIP, "netcluster", ours)]
        self.assertEqual(complaints([ROUND_TRIP], round_trip(23), 1.2), [])
        self.assertEqual(complaints([ROUND_TRIP], round_trip(5), 1.2), [])
        self.assertEqual(len(complaints([ROUND_TRIP], round_trip(25), 1.2)), 1)

    def test_one_lost_event_is_condemned(self):
        self.assertEqual(judge.losses(self.flow(400)), [])
        self.assertEqual(judge.losses([*self.flow(400, lost=1), *self.flow(400, lost=2)]),
                         ["A flow, netcluster: lost 3 events"])

    def test_what_peers_lose_is_not_our_fault(self):
        self.assertEqual(judge.losses([sample(FLOW, "redis", 100, lost=1)]), [])

    def test_between_hosts_raw_may_lose_and_we_may_not(self):
        between = Work("N1", "flow", RATE)
        samples = [sample(between, series, 100, lost=5)
                   for series in ("raw", "lcm", "netcluster", "netcluster encrypted")]
        self.assertEqual(judge.losses(samples),
                         ["N1 flow, netcluster: lost 5 events",
                          "N1 flow, netcluster encrypted: lost 5 events"])

    def test_the_best_run_counts_of_rates(self):
        samples = [*self.flow(400), sample(FLOW, "netcluster", 50), sample(FLOW, "raw", 1)]
        self.assertEqual(complaints([FLOW], samples, 0.4), [])

    def test_the_median_counts_of_times(self):
        samples = [sample(ROUND_TRIP, "raw", value) for value in (10, 1, 11)]
        samples += [sample(ROUND_TRIP, "netcluster", value) for value in (12, 13, 900)]
        self.assertEqual(complaints([ROUND_TRIP], samples, 1.2), [])

    def test_nothing_measured_is_condemned(self):
        self.assertEqual(len(complaints([FLOW], [], 0.4)), 1)
        self.assertEqual(len(complaints([FLOW], [sample(FLOW, "netcluster", 400)], 0.4)), 1)

    def test_nothing_recorded_is_condemned(self):
        self.assertEqual(len(judge.complaints([FLOW], self.flow(400), {})), 1)


class Table(unittest.TestCase):
    def row(self, samples, series):
        return next(row for row in results.rows([FLOW], samples) if row.series == series)

    def test_medians_and_ratios_of_ours_to_each(self):
        samples = [sample(FLOW, "netcluster", value) for value in (100, 900, 300)]
        samples += [sample(FLOW, "redis", value) for value in (150, 140, 160)]
        row = self.row(samples, "redis")
        self.assertEqual((row.median, row.least, row.most, row.runs), (150, 140, 160, 3))
        self.assertEqual(row.ratios, {"netcluster": 2.0})

    def test_the_faster_mode_is_taken(self):
        samples = [sample(FLOW, "redis", 100), sample(FLOW, "redis", 200, mode="window")]
        self.assertEqual(self.row(samples, "redis").mode, "window")

    def test_but_not_when_it_loses(self):
        samples = [sample(FLOW, "redis", 100), sample(FLOW, "redis", 200, lost=1, mode="window")]
        self.assertEqual(self.row(samples, "redis").mode, "open")


if __name__ == "__main__":
    unittest.main()
