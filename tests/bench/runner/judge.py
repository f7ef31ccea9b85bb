"""Whether a quick run is as good as what was recorded: by ratios to the raw relay in the same run,
for the machine is another one each time."""

import json
import statistics

from .series import OURS, RAW, lossless

TOLERANCE = 2.0


def ratios(plan, samples):
    """{work: {series: ratio to raw}}, runs in all modes taken together. Of rates the best run
    counts: what disturbs a run makes it slower. Of times the median: a core that somebody else
    keeps awake answers faster than an idle one."""
    found = {}
    for item in plan:
        metric = item.metrics[0]
        choose = max if metric.more_is_better else statistics.median
        values = {}
        for sample in samples:
            if sample.work == item.name and metric.key in sample.values:
                values.setdefault(sample.series, []).append(sample.values[metric.key])
        if RAW in values:
            raw = choose(values[RAW])
            found[item.name] = {series: choose(values[series]) / raw
                                for series in OURS if series in values}
    return found


def losses(samples):
    """One line for each series that must not lose, but did so in a work, in whatever mode. Peers
    may: that is what their modes are for."""
    lost = {}
    for sample in samples:
        if lossless(sample.work.split()[0], sample.series) and sample.values["lost"]:
            key = f"{sample.work}, {sample.series}"
            lost[key] = lost.get(key, 0) + sample.values["lost"]
    return [f"{key}: lost {count:.0f} events" for key, count in lost.items()]


def complaints(plan, samples, recorded):
    """[(work, what is wrong)]: less than half as good as recorded, or nothing to say so by."""
    said = []
    found = ratios(plan, samples)
    for item in plan:
        by_series = found.get(item.name)
        if not by_series:
            said.append((item, "not both ours and raw were measured"))
            continue
        for series, ratio in by_series.items():
            before = recorded.get(item.name, {}).get(series)
            if before is None:
                said.append((item, f"{series}: nothing is recorded; use --record"))
                continue
            worse = before / ratio if item.metrics[0].more_is_better else ratio / before
            if worse > TOLERANCE:
                said.append((item, f"{series}: {ratio:.3g} of raw, {worse:.1f} times worse than "
                                   f"the {before:.3g} recorded"))
    return said


def read(path):
    return json.loads(path.read_text())["ratios"]


def write(path, plan, samples, about):
    rounded = {work: {series: float(f"{ratio:.3g}") for series, ratio in by_series.items()}
               for work, by_series in ratios(plan, samples).items()}
    path.write_text(json.dumps({"about": about, "ratios": rounded}, indent=1) + "\n")
