"""The works between two hosts: each function takes a series and returns (values, foreign CPU
share) of one run."""

import contextlib
import os
import time

from .processes import Failed
from .work import PATIENCE, exchange, on_one_core, rated

SIZE = 100  # of an event, where its age is measured


@contextlib.contextmanager
def ahead_of_others():
    """All that is started meanwhile goes before whatever else the machine has to do: otherwise
    that would make events late, and look like a loss."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):  # then `late without drop` tells how it was
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def flow(series, programs, *, size, drop=0, seconds=1.0, one_core=False):
    """As fast as the publisher can, with so many per cent of the datagrams lost before b."""
    with on_one_core(one_core), series.bus(programs) as link:
        link.hosts.b.drop(drop)
        with clients(link, series, "pub", "sub", size=size, secs=seconds) as both:
            return rated(*exchange(link.daemons, *both))


def age(series, programs, *, rate, seconds):
    """How old events are when they arrive."""
    with ahead_of_others(), series.bus(programs) as link:
        received, values, foreign = ages(link, series, rate, seconds)
        return {"p50": received["p50"], "p99": received["p99"], **values}, foreign


def recovery(series, programs, *, drop, seconds, rate=4000):
    """How late those are that a lost datagram makes late. How late is late, two runs without loss
    tell: the first by its median, the second by how many are late nevertheless."""
    with ahead_of_others(), series.bus(programs) as link:
        usual = ages(link, series, rate, 1)[0]["p50"]
        late = late_from(usual)
        before = ages(link, series, rate, seconds / 2, late=late)[0]
        link.hosts.b.drop(drop)
        received, values, foreign = ages(link, series, rate, seconds, late=late)
        return {**recovery_values(usual, before, received), **values}, foreign


def late_from(usual):
    """In whole µs, as is what `usual` is given in."""
    return round(3 * usual + 300)


def recovery_values(usual, before, received):
    """Of a run with loss, and one before it without. The first of a row of late events is the one
    that was lost; the others are those that had to wait for it, each a little less."""
    if not received["rows"]:
        raise Failed("no event was late")
    return {"recovery_p50": (received["first_p50"] - usual) / 1000,
            "recovery_p99": (received["first_p99"] - usual) / 1000,
            "late_p50": (received["late_p50"] - usual) / 1000,
            "late": 100 * received["late"] / received["received"],
            "late_before": 100 * before["late"] / before["received"]}


def idle(series, programs, *, quiet, seconds):
    """Datagrams that are sent when there is nothing to say, some time after there was."""
    with (series.bus(programs) as link,
          clients(link, series, "tick", "watch", rate=1000, count=100) as (publisher, subscriber)):
        publisher.tell("go")
        sent = publisher.result(PATIENCE)["sent"]
        time.sleep(quiet)
        datagrams = link.hosts.datagrams_per_second(seconds)
        subscriber.tell(f"expect {sent}")
        return {"datagrams": datagrams,
                "lost": sent - subscriber.result(PATIENCE)["received"]}, 0.0


@contextlib.contextmanager
def clients(link, series, publish, subscribe, **options):
    """Both in their roles, and ready."""
    options = {**series.options, **options}
    with link.subscriber(series.client, subscribe, **options) as subscriber:
        subscriber.ready()
        with link.publisher(series.client, publish, **options) as publisher:
            yield publisher.ready(), subscriber


def ages(link, series, rate, seconds, **options):
    """Of the events of so many seconds, after some that warm up: what the subscriber said, the
    values of every run, the foreign CPU share."""
    count = round(rate * seconds)
    warm_up = min(1000, count // 10)
    with clients(link, series, "tick", "watch", size=SIZE, rate=rate, count=count + warm_up,
                 warmup=warm_up, **options) as both:
        _, received, values, foreign = exchange(link.daemons, *both)
        return received, values, foreign
