"""Measures netcluster and its peers in turn and prints a table; README.md explains it."""

import argparse
import datetime
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

from . import curves, judge, plan, results, targets, work
from .processes import Failed, Noise, raise_descriptor_limit
from .series import LINKS, LOCAL, NAMES, OURS, RAW, SERIES

HERE = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__)
    parser.add_argument("--programs", required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="ours and raw, shortly; fails on a loss, or when much worse than "
                             "recorded")
    parser.add_argument("--record", action="store_true",
                        help="write the ratios to raw into recorded.json, for --quick")
    parser.add_argument("--recorded", type=pathlib.Path, default=HERE / "recorded.json",
                        metavar="FILE", help="another one than tests/bench/recorded.json")
    parser.add_argument("--curves", type=pathlib.Path, metavar="DIR",
                        help="measure the growth curves instead, and draw them there as SVG")
    parser.add_argument("--only", metavar="A,B", default="", help="letters of the works to do")
    parser.add_argument("--peers", metavar="NAMES", default="", help="series, separated by commas")
    parser.add_argument("--runs", type=int, default=3, help="of each series (default 3)")
    parser.add_argument("--secs", type=float, help="seconds of each flow (1; 0.4 when quick)")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="where results.tsv and results.json go (default build/bench)")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


class Session:
    """Measures, says what comes of it, and keeps what failed."""

    def __init__(self, options):
        self.options = options
        self.samples = []
        self.failures = []

    def measure(self, items, series):
        """Round after round, in each one run of all, so that all meet the same machine."""
        for number in range(self.options.runs):
            # And not in the same order: who comes first may find another machine than who follows.
            order = series if number % 2 == 0 else series[::-1]
            for item in items:
                for one in order:
                    if item.letter in one.works:
                        for mode in item.modes:
                            self.run(item, one, mode)

    def run(self, item, series, mode):
        try:
            values, foreign = item.measure(series, self.options.programs, mode)
        except Failed as failure:
            self.failures.append(f"{item.name}, {series.name} {mode}: {failure}")
            say(f"FAILED: {self.failures[-1]}")
            return
        self.add(item, series.name, mode, values, foreign)

    def add(self, item, series, mode, values, foreign):
        sample = results.Sample(item.name, series, mode, values, foreign, foreign > Noise.LIMIT)
        self.samples.append(sample)
        metric = item.metrics[0]
        say(f"{time.strftime('%H:%M:%S')} {item.name}, {' '.join([series, mode]).strip()}: "
            f"{results.figure(values.get(metric.key))} {metric.unit}"
            f"{', LOST ' + results.figure(values['lost']) if values['lost'] else ''}"
            f"{' (noisy)' if sample.noisy else ''}")

    def measure_in_process(self):
        """Returns the works, which are known by then."""
        items = {}
        try:
            for title, series, values, foreign in work.emitters(self.options.programs,
                                                                self.options.runs):
                item = items.setdefault(title, plan.in_process(title))
                self.add(item, series, "", values, foreign)
        except Failed as failure:
            self.failures.append(str(failure))
            say(f"FAILED: {failure}")
        return [items[title] for title in sorted(items)]


def letters_of(options):
    works = {*"ABCDEFH", *(letter for series in LINKS for letter in series.works)}
    letters = set(filter(None, options.only.split(","))) or works
    if letters - works:
        sys.exit(f"no such work: {', '.join(sorted(letters - works))}; there are: "
                 f"{', '.join(sorted(works))}")
    return letters


def chosen(options, letters):
    """The series that were asked for and are there; and, of those that are not, why."""
    wanted = set(filter(None, options.peers.split(",")))
    unknown = wanted - set(NAMES)
    if unknown:
        sys.exit(f"no such series: {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    if options.quick and not wanted:
        wanted = {RAW, *OURS}
    series, absent = [], {}
    for one in SERIES:
        if (not wanted or one.name in wanted) and letters.intersection(one.works):
            why = one.absent(options.programs)
            if why:
                absent.setdefault(why, []).append(one.label)
            else:
                series.append(one)
    return series, [f"{', '.join(names)} ({why})" for why, names in absent.items()]


def about(series, absent, programs):
    busses = {one.bus.name: one.bus.described(programs) for one in series}
    revision = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], text=True,
                              capture_output=True, check=False).stdout.strip()
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if "model name" in line), "")
    return {"date": datetime.date.today().isoformat(), "revision": revision,
            "kernel": platform.release(), "cores": os.cpu_count(), "processor": model,
            "versions": {name: text for name, text in busses.items() if text},
            "left out": absent}


def judged(session, items, series, recorded):
    """Of a quick run: what is worse than it may be. What looks so is measured again first, for
    somebody else may have used the machine."""
    complaints = judge.complaints(items, session.samples, recorded)
    for _ in range(2):
        if complaints:
            say(f"again, for it looks worse: {', '.join(item.name for item, _ in complaints)}")
            session.measure([item for item in items
                             if any(item is other for other, _ in complaints)], series)
            complaints = judge.complaints(items, session.samples, recorded)
    return [f"{item.name}, {text}" for item, text in complaints]


def measure_all(session, options, letters, series):
    """Returns the works, and what is worse than it may be."""
    items = plan.quick(options.secs or 0.4) if options.quick else plan.full(options.secs or 1)
    items = sorted((item for item in items if item.letter in letters
                    and any(item.letter in one.works for one in series)),
                   key=lambda item: item.letter)
    session.measure(items, series)
    if options.quick and not options.record:
        return items, judged(session, items, series, judge.read(options.recorded))
    if "H" in letters and not options.quick and not options.peers:
        items += session.measure_in_process()
    return items, []


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every `with` is left
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    options = arguments()
    raise_descriptor_limit()
    letters = letters_of(options)
    series, absent = chosen(options, letters)
    if options.curves:
        return curves.draw(options, [one for one in series if one in LOCAL])

    session = Session(options)
    items, worse = measure_all(session, options, letters, series)
    table = results.rows(items, session.samples)
    facts = about(series, absent, options.programs)
    options.out.mkdir(parents=True, exist_ok=True)
    results.write(options.out, table, session.samples, facts)
    if options.record:
        judge.write(options.recorded, items, session.samples, facts)

    print(results.text_table(table), end="\n\n")
    for line in targets.lines(session.samples):
        print(line)
    for line in absent:
        print(f"left out: {line}")
    # Losses in a mode that the table does not show, too.
    bad = [*session.failures, *judge.losses(session.samples), *worse]
    for line in bad:
        print(f"FAILED: {line}")
    if options.quick and not options.record and not bad:
        print("nothing was lost, and no ratio to raw is worse than half of what was recorded")
    print(f"written: {options.out}/results.tsv and results.json")
    return 1 if bad else 0


sys.exit(main())
