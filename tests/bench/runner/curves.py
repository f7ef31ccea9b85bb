"""How figures grow: with the size of events, the number of subscribers, of idle clients, of
patterns, of channels. Draws one SVG for each with gnuplot, and writes what it shows beside the
other results."""

import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from . import work
from .processes import Failed
from .series import RAW


@dataclass(frozen=True)
class Curve:
    name: str
    title: str
    across: str
    up: str
    points: tuple
    options: Callable  # of a point: what the flow is given
    figure: Callable  # of a point and the values of a run: what is drawn
    series: tuple
    linear: bool = False  # where a logarithmic scale would hide what matters


def _rate(_, values):
    return values["rate"]


def size_text(size):
    for unit, text in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size // unit} {text}"
    return f"{size} B"


OURS_AND_RAW = (RAW, "netcluster", "netcluster-wire")
ALL = (*OURS_AND_RAW, "nats")
BYTES = tuple(4 ** power for power in range(2, 11))  # 16 B to 1 MiB
CURVES = [
    Curve("event-size", "Throughput, one publisher to one subscriber", "size of an event",
          "events per second", BYTES, lambda size: {"size": size}, _rate, ALL),
    Curve("event-size-bytes", "Throughput, one publisher to one subscriber", "size of an event",
          "MiB of data per second", BYTES, lambda size: {"size": size},
          lambda size, values: values["rate"] * size / (1 << 20), ALL),
    Curve("subscribers", "Fan-out, events of 100 B", "subscribers", "deliveries per second",
          (1, 4, 16, 64, 256), lambda count: {"connections": count}, _rate, ALL),
    Curve("idle-clients", "Throughput beside idle clients, events of 100 B", "idle clients",
          "events per second", (0, 10, 100, 1000, 10000),
          lambda count: {"hold": {"conns": count} if count else None}, _rate, OURS_AND_RAW, True),
    Curve("patterns", "Throughput to a subscriber with many patterns, events of 100 B",
          "patterns of its connection", "events per second", (1, 4, 16, 64, 256, 1024, 4096),
          lambda count: {"patterns": count, "topic": "log.*"}, _rate,
          ("netcluster", "netcluster-wire", "nats"), True),
    Curve("channels", "Throughput over several channels at once, events of 100 B", "channels",
          "events per second", (1, 4, 16, 64), lambda count: {"channels": count}, _rate,
          OURS_AND_RAW, True),
]
COLOURS = {RAW: "#888888", "netcluster": "#0b5fa5", "netcluster-wire": "#4fa3d9",
           "nats": "#d9822b"}
NAMES = {RAW: "raw relay (limit)", "netcluster": "netcluster, agent library",
         "netcluster-wire": "netcluster, bare protocol", "nats": "NATS"}


def draw(options, series):
    """Measures all curves and draws them. Returns the exit status."""
    if not shutil.which("gnuplot"):
        sys.exit("gnuplot is not installed")
    options.curves.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    # Curves that show the same flows in two ways share them.
    flows = {_key(curve, point, one): (curve.options(point), one) for curve in CURVES
             for point in curve.points for one in _lines(curve, series)}
    measured = {key: [] for key in flows}
    for _ in range(options.runs):
        for key, (of_point, one) in flows.items():
            measured[key] += _run(key, of_point, one, options)
    for curve in CURVES:
        lines = _lines(curve, series)
        table = options.out / f"curve-{curve.name}.tsv"
        _write(table, curve, lines, measured)
        picture = options.curves / f"{curve.name}.svg"
        _plot(table, picture, curve, lines)
        print(f"written: {picture}", file=sys.stderr)
    return 0 if all(measured.values()) else 1


def _lines(curve, series):
    return [one for one in series if one.name in curve.series]


def _key(curve, point, series):
    return f"{series.name} {curve.options(point)}"


def _run(key, of_point, series, options):
    """The values of one run, or nothing when it fails. On one core, where figures repeat themselves:
    it is the shape that counts here."""
    try:
        values, _ = work.flow(series, options.programs, seconds=options.secs or 1, one_core=True,
                              **of_point)
    except Failed as failure:
        print(f"FAILED: {key}: {failure}", file=sys.stderr)
        return []
    print(f"{key}: {values['rate']:,.0f}{', LOST' if values['lost'] else ''}", file=sys.stderr)
    return [values]


def _write(path, curve, lines, measured):
    with open(path, "w") as file:
        print("point", *(one.name for one in lines), sep="\t", file=file)
        for point in curve.points:
            cells = []
            for one in lines:
                runs = measured[_key(curve, point, one)]
                cells.append(f"{statistics.median(curve.figure(point, run) for run in runs):.6g}"
                             if runs else "?")
            label = size_text(point) if curve.points is BYTES else f"{point:,}"
            print(label, *cells, sep="\t", file=file)


def _plot(table, picture, curve, lines):
    plots = ", ".join(
        f"'{table}' using 0:{column}:xtic(1) with linespoints linewidth 2 pointtype 7 "
        f"pointsize 0.5 linecolor rgb '{COLOURS[one.name]}' title '{NAMES[one.name]}'"
        for column, one in enumerate(lines, start=2))
    scale = "set yrange [0:*]" if curve.linear else "set logscale y"
    script = f"""
set terminal svg size 720,400 font 'sans-serif,13' background '#ffffff'
set output '{picture}'
set datafile separator '\\t'
set datafile missing '?'
set title '{curve.title} (all on one core)'
set xlabel '{curve.across}'
set ylabel '{curve.up}'
{scale}
set format y '%.0s%c'
set grid ytics linetype 1 linewidth 1 linecolor rgb '#dddddd'
set border 3
set tics nomirror
set key outside top center horizontal samplen 2
set offsets 0.2, 0.2, 0, 0
plot {plots}
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
