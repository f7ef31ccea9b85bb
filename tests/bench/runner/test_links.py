"""What is measured between hosts. `run.sh --self-test` runs this."""

import os
import pathlib
import tempfile
import unittest

from . import hosts, link_work, links, plan, results, targets
from .processes import Failed


def sample(work, series, key, value):
    return results.Sample(work, series, "", {key: value, "lost": 0}, foreign=0.0, noisy=False)


@unittest.skipIf(hosts.why_none(), hosts.why_none())
class TwoHosts(unittest.TestCase):
    def test_what_a_host_sends_is_counted(self):
        with hosts.Hosts() as both:
            both.a.count()
            both.a.run("bash -s", "for i in 1 2 3; do echo hello >/dev/udp/10.213.77.2/9; done")
            self.assertEqual(both.a.counted(), 3)

    def test_loss_is_switched_on_and_off(self):
        with hosts.Hosts() as both:
            both.b.drop(5)
            self.assertIn("numgen random mod 100 < 5 drop", both.b.run("nft list ruleset"))
            both.b.drop(0)
            self.assertNotIn("drop", both.b.run("nft list ruleset"))

    def test_nothing_is_left_of_them_when_something_fails(self):
        holders = []
        with self.assertRaises(Failed), hosts.Hosts() as both:
            holders = [host.holder for host in both.both]
            both.a.run("ip link set eth7 up")
        self.assertEqual([holder.poll() is None for holder in holders], [False, False])


class Recovery(unittest.TestCase):
    BEFORE = {"received": 1000, "late": 5}

    def test_late_is_what_takes_three_times_as_long_and_some_more(self):
        self.assertEqual(link_work.late_from(50.2), 451)

    def test_it_is_the_time_beyond_the_usual_one(self):
        received = {"received": 200, "late": 10, "late_p50": 1050.0, "rows": 4,
                    "first_p50": 2050.0, "first_p99": 4050.0}
        self.assertEqual(link_work.recovery_values(50.0, self.BEFORE, received),
                         {"recovery_p50": 2, "recovery_p99": 4, "late_p50": 1, "late": 5,
                          "late_before": 0.5})

    def test_a_run_without_late_events_tells_nothing(self):
        with self.assertRaises(Failed):
            link_work.recovery_values(50.0, self.BEFORE, {"received": 200, "late": 0, "rows": 0})


class Targets(unittest.TestCase):
    FLOW = plan.link_flow_name(100, 1)

    def said(self, work, key, **figures):
        samples = [sample(work, series.replace("_", " "), key, value)
                   for series, value in figures.items()]
        return [line.split("  ")[0].strip() for line in targets.lines(samples)]

    def test_a_rate_must_be_high(self):
        self.assertEqual(self.said(self.FLOW, "rate", raw=1000, netcluster=500), ["met"])
        self.assertEqual(self.said(self.FLOW, "rate", raw=1000, netcluster=499), ["MISSED"])

    def test_an_age_must_be_low(self):
        age = plan.age_name(10)
        self.assertEqual(self.said(age, "p50", raw=50, netcluster=100), ["met"])
        self.assertEqual(self.said(age, "p50", raw=50, netcluster=101), ["MISSED"])

    def test_some_stand_for_themselves(self):
        self.assertEqual(self.said(plan.IDLE_NAME, "datagrams", netcluster=2.1), ["MISSED"])

    def test_the_median_of_the_runs_counts(self):
        samples = [sample(plan.IDLE_NAME, "netcluster", "datagrams", value)
                   for value in (1, 1.5, 90)]
        self.assertTrue(targets.lines(samples)[0].startswith("met"))

    def test_what_was_not_measured_is_not_spoken_of(self):
        self.assertEqual(self.said(self.FLOW, "rate", netcluster=500, netcluster_encrypted=400),
                         ["met"])
        self.assertEqual(self.said(self.FLOW, "rate", raw=1000), [])

    def test_each_is_of_a_work_that_is_done(self):
        metrics = {(work.name, metric.key) for work in plan.full(1) for metric in work.metrics}
        for target in targets.TARGETS:
            self.assertIn((target.work, target.key), metrics)


class Keys(unittest.TestCase):
    def test_only_their_owner_can_read_them(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "keys.json")
            links.write_key(path, links.new_key())
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
