"""The series of figures: which daemon or link, and which programs that talk over it."""

import os
from dataclasses import dataclass, field

from . import links, peers


@dataclass(frozen=True)
class Series:
    """One line of the table."""

    name: str
    bus: type  # a daemon of one host, or a link between two
    client: str
    works: tuple = ("A", "B", "C", "D", "E", "F")  # in which it takes part
    many: str = ""  # the program that has many connections, when that is another one
    hold: str = ""  # the program of idle clients, when that is another one
    options: dict = field(default_factory=dict)
    most: int = 10000  # idle clients that its library can have in one process
    lossless: bool = False  # what it loses is a fault, and not its way

    @property
    def label(self):
        return self.name + (" between hosts" if self in LINKS else "")

    def absent(self, programs):
        """Why it cannot be measured here, or nothing."""
        why = self.bus.absent(programs)
        for program in {self.client, self.many, self.hold} - {""}:
            if not why and not os.path.exists(os.path.join(programs, program)):
                why = f"{program} was not built"
        return why


RAW = "raw"
OURS = ("netcluster", "netcluster-wire")  # whose ratios to the others are shown
LOCAL = [
    Series(RAW, peers.Relay, "bench_raw", ("A", "B", "C", "D", "F"), lossless=True),
    Series("netcluster", peers.Netcluster, "bench_netcluster", many="bench_netcluster_wire",
           hold="bench_netcluster_wire", lossless=True),
    Series("netcluster-wire", peers.Netcluster, "bench_netcluster_wire", lossless=True),
    Series("netcluster-json", peers.Netcluster, "bench_netcluster_json", ("A", "B", "C"),
           lossless=True),
    Series("netcluster emit(json)", peers.Netcluster, "bench_netcluster", ("A",),
           options={"json": 1}, lossless=True),
    Series("netcluster agents", peers.Netcluster, "bench_netcluster", ("C",), lossless=True),
    Series("nats", peers.Nats, "bench_nats", most=1000),  # two threads for each connection
    Series("redis", peers.Redis, "bench_redis"),
    Series("mosquitto", peers.Mosquitto, "bench_mosquitto"),
    Series("zmq", peers.Zmq, "bench_zmq", most=1000),
    Series("dbus", peers.Dbus, "bench_dbus"),
]

FLOW, AGE, RECOVERY, IDLE = "N1", "N2", "N3", "N4"
# What such a link has lost does not come later.
LOSSY = {"patience": 0.3}
LINKS = [
    Series(RAW, links.Multicast, "bench_udp", (FLOW, AGE), options=LOSSY),
    Series("raw single", links.Multicast, "bench_udp", (FLOW,),
           options={**LOSSY, "datagram": 0, "batch": 1}),
    Series("raw gso", links.Multicast, "bench_udp", (FLOW,),
           options={**LOSSY, "batch": 1, "gso": 40}),
    Series("netcluster", links.NetclusterLink, "bench_netcluster_wire",
           (FLOW, AGE, RECOVERY, IDLE), lossless=True),
    Series("netcluster encrypted", links.EncryptedLink, "bench_netcluster_wire",
           (FLOW, AGE, RECOVERY, IDLE), lossless=True),
    Series("lcm", links.Multicast, "bench_lcm", (FLOW, AGE), options=LOSSY),
    Series("norm", links.Multicast, "bench_norm", (FLOW, AGE, RECOVERY, IDLE)),
    Series("norm 2 Gbit/s", links.Multicast, "bench_norm", (FLOW,), options={"mbps": 2000}),
]
SERIES = [*LOCAL, *LINKS]
NAMES = list(dict.fromkeys(series.name for series in SERIES))


def lossless(work, name):
    """Whether a loss of the series in the work, known by its letter, is a fault."""
    return any(series.lossless for series in SERIES if series.name == name and work in series.works)
