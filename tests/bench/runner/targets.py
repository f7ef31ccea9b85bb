"""What the link is meant to reach, and what a run has reached."""

from dataclasses import dataclass

from . import plan
from .results import figure, median_of
from .series import RAW


@dataclass(frozen=True)
class Target:
    work: str  # letter and title
    key: str
    series: str
    other: str  # by whose figure that of the series is divided; "" for none
    least: float | None = None
    most: float | None = None

    def found(self, samples):
        """The figure, or nothing when it was not measured."""
        def median(name):
            return median_of([sample for sample in samples
                              if sample.work == self.work and sample.series == name], self.key)
        own, other = median(self.series), median(self.other) if self.other else 1
        return own / other if own is not None and other else None

    def met(self, value):
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most)

    def text(self, value):
        wanted = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        what = f"{self.series} / {self.other}" if self.other else self.series
        return (f"{'met   ' if self.met(value) else 'MISSED'}  {figure(value):>6}  {wanted:12}  "
                f"{what:32}  {self.work}")


OURS, ENCRYPTED = "netcluster", "netcluster encrypted"


def _flows():
    for drop in plan.DROPS:
        small, large = (plan.link_flow_name(size, drop) for size in plan.LINK_SIZES)
        yield Target(small, "rate", OURS, RAW, least=0.5)
        yield Target(small, "rate", OURS, "norm", least=1.2)
        yield Target(large, "rate", OURS, "raw single", least=1)
        yield Target(large, "rate", OURS, "norm", least=2)
        for work in (small, large):
            yield Target(work, "rate", OURS, "lcm", least=5)
            yield Target(work, "rate", ENCRYPTED, OURS, least=0.6)


TARGETS = [*_flows(),
           *(Target(plan.age_name(rate), "p50", OURS, RAW, most=2) for rate in plan.AGE_RATES),
           *(Target(plan.recovery_name(drop), "recovery_p50", OURS, "", most=3)
             for drop in plan.DROPS if drop),
           Target(plan.IDLE_NAME, "datagrams", OURS, "", most=2)]


def lines(samples):
    """One for each target of what was measured."""
    found = [(target, target.found(samples)) for target in TARGETS]
    return [target.text(value) for target, value in found if value is not None]
