"""Which works there are, and what is done for each."""

from collections.abc import Callable
from dataclasses import dataclass

from . import link_work, work
from .series import AGE, FLOW, IDLE, RECOVERY


@dataclass(frozen=True)
class Metric:
    key: str
    unit: str
    name: str = ""
    more_is_better: bool = False


RATE = (Metric("rate", "events/s", more_is_better=True),)
DELIVERIES = (Metric("rate", "deliveries/s", more_is_better=True),)
RELATIVE = (*RATE, Metric("relative", "of the rate without", "relative", more_is_better=True),
            Metric("relative_cpu", "of the daemon's time per event without", "relative"))
NANOSECONDS = (Metric("ns", "ns"),)
TIMES = (Metric("p50", "µs", "p50"), Metric("p99", "µs", "p99"), Metric("p999", "µs", "p99.9"))
AGES = TIMES[:2]
FLOWS = (*RATE, Metric("delivered", "%", "delivered", more_is_better=True),
         Metric("disorder", "events", "late or twice"))
RECOVERIES = (Metric("recovery_p50", "ms", "p50"), Metric("recovery_p99", "ms", "p99"),
              Metric("late_p50", "ms", "p50 of all that were late"),
              Metric("late", "%", "late"), Metric("late_before", "%", "late without drop"))
DATAGRAMS = (Metric("datagrams", "datagrams/s"),)
SIZES = (Metric("per_client", "KiB", "per client"), Metric("rss_0", "KiB", "no client"),
         Metric("rss_1000", "KiB", "1,000 clients"), Metric("rss_10000", "KiB", "10,000 clients"))


@dataclass(frozen=True)
class Work:
    letter: str
    title: str
    metrics: tuple
    measure: Callable = None  # (series, programs, mode) -> (values, foreign CPU share)
    modes: tuple = ("",)

    @property
    def name(self):
        return f"{self.letter} {self.title}"


def _flow(title, size, **options):
    def measure(series, programs, mode):
        return work.flow(series, programs, size=size, mode=mode, **options)
    return Work("A", f"throughput 1 to 1, {title}", RATE, measure, MODES)


def _fan(count, where, **options):
    def measure(series, programs, mode):
        return work.flow(series, programs, connections=count, window=1024, mode=mode, **options)
    return Work("C", f"fan-out 1 to {count}, 100 B{where}", DELIVERIES, measure, MODES)


def _beside(letter, title, **options):
    def measure(series, programs, mode):
        return work.beside(series, programs, mode=mode, **options)
    return Work(letter, title, RELATIVE, measure, ("open",))


def _round_trip(title, **options):
    def measure(series, programs, _):
        return work.round_trip(series, programs, **options)
    return Work("B", f"round trip 64 B, {title}", TIMES, measure)


# Between hosts.
DROPS = (0, 1, 5)
LINK_SIZES = {100: "100 B", 1200: "1,200 B"}
AGE_RATES = {10: "10 Hz", 4000: "4,000 Hz"}
IDLE_NAME = f"{IDLE} an idle link, each host"


def link_flow_name(size, drop, one_core=False):
    return f"{FLOW} between hosts, {LINK_SIZES[size]}, {drop} % drop{ONE_CORE if one_core else ''}"


def age_name(rate):
    return f"{AGE} age on arrival, 100 B, {AGE_RATES[rate]}"


def recovery_name(drop):
    return f"{RECOVERY} recovery, 100 B, 4,000 Hz, {drop} % drop"


def _between(name, metrics, function, **options):
    def measure(series, programs, _):
        return function(series, programs, **options)
    return Work(*name.split(" ", 1), metrics, measure)


def _link_flow(size, drop, seconds, one_core=False):
    return _between(link_flow_name(size, drop, one_core), FLOWS, link_work.flow, size=size,
                    drop=drop, seconds=seconds, one_core=one_core)


def _links(seconds):
    return [*(_link_flow(size, drop, seconds) for size in LINK_SIZES for drop in DROPS),
            *(_between(age_name(rate), AGES, link_work.age, rate=rate, seconds=long)
              for rate, long in ((10, 10), (4000, 5))),
            *(_between(recovery_name(drop), RECOVERIES, link_work.recovery, drop=drop, seconds=8)
              for drop in DROPS if drop),
            _between(IDLE_NAME, DATAGRAMS, link_work.idle, quiet=15, seconds=10)]


def _memory(series, programs, _):
    return work.memory(series, programs)


# As fast as it goes; and with so many events under way at most, which the subscriber acknowledges.
MODES = ("open", "window")
IDLE_CLIENTS = {"hold": {"conns": 1000}}
PATTERNS = {"hold": {"conns": 1, "each": 999, "suffix": ".*"}, "topic": "log.*"}


# Where all share one core, nothing depends on who wakes up where: such figures are the CPU time of
# the whole way, and repeat themselves within a few per cent on a machine where others do not.
ONE_CORE = " on one core"


def full(seconds):
    loads = [("D", "100 B beside 1,000 idle clients", IDLE_CLIENTS),
             ("E", "100 B among 1,000 patterns", PATTERNS)]
    return [_flow("16 B", 16, seconds=seconds), _flow("100 B", 100, seconds=seconds),
            _flow("1 KiB", 1024, seconds=seconds), _flow("64 KiB", 65536, seconds=seconds),
            *_common(seconds, rounds=20000, slow_rounds=30),
            _round_trip("flat out"), _round_trip("10 Hz", interval=0.1, rounds=100),
            _fan(16, "", seconds=seconds), _fan(64, "", seconds=seconds),
            *(_beside(letter, title, load=load, pairs=1, seconds=seconds)
              for letter, title, load in loads),
            *(_beside(letter, title + ONE_CORE, load=load, pairs=2, seconds=seconds / 2,
                      one_core=True) for letter, title, load in loads),
            Work("F", "resident size of the daemon", SIZES, _memory), *_links(seconds)]


def quick(seconds):
    """A part of the full plan under the same names, so that the two can be compared."""
    return _common(seconds, rounds=5000, slow_rounds=20)


def _common(seconds, rounds, slow_rounds):
    return [_flow("100 B" + ONE_CORE, 100, seconds=seconds, one_core=True),
            _flow("64 KiB" + ONE_CORE, 65536, seconds=seconds, one_core=True),
            _round_trip("flat out" + ONE_CORE, one_core=True, rounds=rounds),
            _round_trip("10 Hz" + ONE_CORE, one_core=True, interval=0.1, rounds=slow_rounds),
            _fan(16, ONE_CORE, seconds=seconds, one_core=True),
            _link_flow(100, 0, seconds, one_core=True)]


def in_process(title):
    """The works of H are named by the programs that do them."""
    return Work("H", f"in process, {title}", NANOSECONDS)
