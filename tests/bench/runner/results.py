"""Samples, and what is made of them: medians, ratios, tables."""

import json
import statistics
from dataclasses import asdict, dataclass

from .series import NAMES, OURS


@dataclass
class Sample:
    work: str  # letter and title
    series: str
    mode: str
    values: dict
    foreign: float  # share of a core that others took meanwhile
    noisy: bool


@dataclass
class Row:
    """A line of the table."""

    work: str
    metric: str
    unit: str
    series: str
    mode: str
    median: float
    least: float
    most: float
    runs: int
    noisy: int
    lost: float
    daemon_us: float | None
    total_us: float | None
    ratios: dict  # ours -> ours divided by this one


def median_of(samples, key):
    values = [sample.values[key] for sample in samples if key in sample.values]
    return statistics.median(values) if values else None


def _best_mode(samples, metric):
    """A peer is taken in the mode in which it loses nothing and is the fastest."""
    modes = {}
    for sample in samples:
        modes.setdefault(sample.mode, []).append(sample)
    sign = 1 if metric.more_is_better else -1

    def merit(members):
        lossless = all(sample.values["lost"] == 0 for sample in members)
        return lossless, sign * (median_of(members, metric.key) or 0)
    return max(modes.values(), key=merit)


def _place(series):
    """As in the list; what is measured in process alone, after that."""
    return NAMES.index(series) if series in NAMES else len(NAMES), series


def rows(plan, samples):
    table = []
    for item in plan:
        by_series = {}
        for sample in samples:
            if sample.work == item.name:
                by_series.setdefault(sample.series, []).append(sample)
        best = {series: _best_mode(by_series[series], item.metrics[0])
                for series in sorted(by_series, key=_place)}
        for metric in item.metrics:
            for series, members in best.items():
                values = [s.values[metric.key] for s in members if metric.key in s.values]
                if values:
                    table.append(_row(item.name, metric, series, members, values, best))
    return table


def _row(work, metric, series, members, values, best):
    median = statistics.median(values)
    ratios = {}
    for ours in OURS:
        own = median_of(best.get(ours, []), metric.key)
        if own is not None and median:
            ratios[ours] = own / median
    return Row(work=work, metric=metric.name, unit=metric.unit, series=series,
               mode=members[0].mode, median=median, least=min(values), most=max(values),
               runs=len(values), noisy=sum(s.noisy for s in members),
               lost=sum(s.values["lost"] for s in members),
               daemon_us=median_of(members, "daemon_us"), total_us=median_of(members, "total_us"),
               ratios=ratios)


def figure(value):
    """With as many digits as are worth something."""
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


HEADER = ["series", "median", "min", "max", *(f"{ours}/it" for ours in OURS), "lost", "mode",
          "daemon µs", "all µs", "runs", "noisy"]


def text_table(table):
    """All of it for people. `x/it` is the median of x divided by that of the line."""
    groups = {}
    for row in table:
        title = f"{row.work}{', ' if row.metric else ''}{row.metric} [{row.unit}]"
        groups.setdefault(title, []).append(
            [row.series, figure(row.median), figure(row.least), figure(row.most),
             *(figure(row.ratios.get(ours)) for ours in OURS), figure(row.lost), row.mode,
             figure(row.daemon_us), figure(row.total_us), str(row.runs), str(row.noisy or "")])
    cells = [HEADER, *(line for group in groups.values() for line in group)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADER))]

    def aligned(line):
        first, *others = (cell.ljust(width) if i in (0, 7) else cell.rjust(width)
                          for i, (cell, width) in enumerate(zip(line, widths)))
        return "  ".join(["  " + first, *others]).rstrip()
    lines = [aligned(HEADER)]
    for title, group in groups.items():
        lines += ["", title, *map(aligned, group)]
    return "\n".join(lines)


def write(directory, table, samples, about):
    columns = ["work", "metric", "unit", "series", "mode", "median", "least", "most", "runs",
               "noisy", "lost", "daemon_us", "total_us"]
    with open(directory / "results.tsv", "w") as file:
        print(*columns, *(f"{ours}/it" for ours in OURS), sep="\t", file=file)
        for row in table:
            cells = [getattr(row, column) for column in columns]
            cells += [row.ratios.get(ours) for ours in OURS]
            print(*(f"{cell:.6g}" if isinstance(cell, float) else "" if cell is None else cell
                    for cell in cells), sep="\t", file=file)
    with open(directory / "results.json", "w") as file:
        json.dump({"about": about, "rows": [asdict(row) for row in table],
                   "samples": [asdict(sample) for sample in samples]}, file, indent=1)
