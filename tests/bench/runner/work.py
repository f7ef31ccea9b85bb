"""The works: each function takes a series and returns (values, foreign CPU share) of one run."""

import contextlib
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys

from .peers import Netcluster
from .processes import Failed, Noise, cpu_seconds, resident_kib

PATIENCE = 60  # seconds for what should take one or two


def window_of(size):
    """Events under way at most: 4 MiB of them, within reason."""
    return max(8, min(4096, (4 << 20) // size))


@contextlib.contextmanager
def on_one_core(wanted):
    """All that is started meanwhile stays on one core: nothing waits for another to wake up."""
    before = os.sched_getaffinity(0)
    if wanted:
        os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def flow(series, programs, *, size=100, mode="open", seconds=1.5, connections=1, hold=None,
         window=None, one_core=False, **options):
    """One publisher, any number of subscribed connections, perhaps others that are idle."""
    options = {"size": size, "window": (window or window_of(size)) if mode == "window" else 0,
               **series.options, **options}
    many = series.many if connections > 1 and series.many else series.client
    with contextlib.ExitStack() as stack:
        stack.enter_context(on_one_core(one_core))
        daemon = stack.enter_context(series.bus(programs))

        def client(program, role, **words):
            return stack.enter_context(daemon.client(program, role, **words))
        holder = [client(series.hold or series.client, "hold", **hold).ready()] if hold else []
        subscriber = client(many, "sub", conns=connections, **options)
        publisher = client(series.client, "pub", secs=seconds, **options)
        return rated(*exchange([daemon], publisher.ready(), subscriber.ready(), holder,
                               connections / options.get("channels", 1)))


def exchange(daemons, publisher, subscriber, others=(), copies=1):
    """Lets the publisher go and waits for the subscriber. Returns what the two said, the values
    that every such run has, and the foreign CPU share."""
    clients = [publisher, subscriber, *others]
    for client in clients:
        client.count_from_here()
    before, noise = sum(map(daemon_seconds, daemons)), Noise()
    publisher.tell("go")
    published = publisher.result(PATIENCE)
    subscriber.tell(f"expect {published['sent']}")
    received = subscriber.result(PATIENCE)
    daemons_cpu = sum(map(daemon_seconds, daemons)) - before
    clients_cpu = sum(client.end() for client in clients)
    foreign = noise.share(daemons_cpu + clients_cpu)
    count = received["received"]
    if not count:
        raise Failed(f"nothing arrived of {published['sent']}")
    meant = published["sent"] * copies
    lost = max(0.0, meant - count) + received["disorder"] + published.get("window_lost", 0)
    if lost and daemons:
        print(f"lost {lost:.0f}; {subscriber}", *(daemon.log() for daemon in daemons), sep="\n",
              file=sys.stderr)
    values = {"lost": lost, "delivered": 100 * count / meant, "disorder": received["disorder"],
              "total_us": (daemons_cpu + clients_cpu) * 1e6 / count}
    if daemons:
        values["daemon_us"] = daemons_cpu * 1e6 / count
    return published, received, values, foreign


def daemon_seconds(daemon):
    if daemon.process.poll() is not None:
        raise Failed(f"{daemon.name} has ended: {daemon.log()}")
    return cpu_seconds(daemon.process.pid)


def rated(published, received, values, foreign):
    """Of a flow."""
    return {"rate": received["received"] / (received["last_ns"] - published["start_ns"]) * 1e9,
            "held_back": published["heldback"], **values}, foreign


def beside(series, programs, *, load, pairs, **options):
    """Flows beside a load, each with one without right before or after it. Which of them comes
    first changes, so that a drift of the machine does not look like an effect of the load."""
    plain, loaded, noise = [], [], 0.0
    for _ in range(pairs):
        for is_loaded in random.sample((True, False), 2):
            values, foreign = flow(series, programs, **options, **(load if is_loaded else {}))
            (loaded if is_loaded else plain).append(values)
            noise = max(noise, foreign)

    def mean(runs, key):
        return sum(run[key] for run in runs) / pairs
    values = {key: mean(loaded, key) for key in loaded[0]}
    values["lost"] = sum(run["lost"] for run in plain + loaded)
    values["relative"] = values["rate"] / mean(plain, "rate")
    values["relative_cpu"] = values["daemon_us"] / mean(plain, "daemon_us")
    return values, noise


def round_trip(series, programs, *, interval=0, rounds=20000, size=64, one_core=False):
    with (on_one_core(one_core), series.bus(programs) as daemon,
          daemon.client(series.client, "pong", latency=1) as pong,
          daemon.client(series.client, "ping", latency=1, rounds=rounds, size=size,
                        interval=interval) as ping):
        pong.ready()
        ping.ready()
        for client in (ping, pong):
            client.count_from_here()
        before, noise = cpu_seconds(daemon.process.pid), Noise()
        ping.tell("go")
        result = ping.result(PATIENCE)
        daemon_cpu = cpu_seconds(daemon.process.pid) - before
        clients_cpu = ping.end() + pong.end()
        events = 2 * result["rounds"]
        return {**{key: result[key] for key in ("p50", "p99", "p999")},
                "daemon_us": daemon_cpu * 1e6 / events,
                "total_us": (daemon_cpu + clients_cpu) * 1e6 / events,
                "lost": 0}, noise.share(daemon_cpu + clients_cpu)


PER_PROCESS = 5000  # some libraries need three descriptors for each connection


def memory(series, programs, *, counts=(1000, 10000)):
    """Resident size of the daemon, without and with idle clients."""
    values = {"lost": 0}
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(series.bus(programs))
        empty = values["rss_0"] = resident_kib(daemon.process.pid)
        held = 0
        for count in (count for count in counts if count <= series.most):
            while held < count:
                more = min(PER_PROCESS, count - held)
                stack.enter_context(daemon.client(series.hold or series.client, "hold",
                                                  conns=more, first=held)).ready()
                held += more
            values[f"rss_{count}"] = resident_kib(daemon.process.pid)
            values["per_client"] = (values[f"rss_{count}"] - empty) / count
    return values, 0.0  # noise does not change sizes


def emitters(programs, runs):
    """Emitting within one process: yields (title, series, values, foreign CPU share)."""
    with Netcluster(programs) as daemon:
        text, foreign = _output(
            [daemon.path("bench_emitters"), "--benchmark_format=json", "--benchmark_min_time=0.2",
             f"--benchmark_repetitions={runs}", "--benchmark_enable_random_interleaving=true"],
            NETCLUSTER_DIR=daemon.address())
    for result in json.loads(text)["benchmarks"]:
        if result["run_type"] != "iteration":
            continue  # the library's own medians
        title, series = result["run_name"].split("/")[:2]
        # Time as each thread sees it.
        yield title, series, {"ns": result["real_time"] * result["threads"],
                              "lost": result.get("full", 0)}, foreign
    script = pathlib.Path(__file__).parent.parent / "emitters" / "emitters.mjs"
    for _ in range(runs if shutil.which("node") else 0):
        text, foreign = _output(["node", script])
        for line in text.splitlines():
            title, series, nanoseconds = line.split("\t")
            yield title, series, {"ns": float(nanoseconds), "lost": 0}, foreign


def _output(command, **environment):
    noise, before = Noise(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True,
                          text=True, timeout=600, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise Failed(f"{command[0]}: {done.stderr[-300:]}")
    return done.stdout, noise.share(after.ru_utime + after.ru_stime
                                    - before.ru_utime - before.ru_stime)
