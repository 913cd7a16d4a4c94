"""Proof of the burn-rate alerts alone: each pair of windows just above and just below its threshold.

The recorded ratios are given, so that each tier stands by itself and no days have to pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Input
from airis_mon.rules.proofs.verdicts import SEVERITIES, as_fired
from airis_mon.rules.windows import Tier, name, recorded

ABOVE, BELOW = 1.01, 0.99


@dataclass(frozen=True)
class _Moment:
    """What is recorded at one evaluation."""

    tier: Tier
    long: float = ABOVE
    """Burn rate over the long window as a share of the factor."""
    short: float = ABOVE
    failures: float = ABOVE
    """Failures in the long window as a share of the fewest that count."""

    @property
    def fires(self) -> bool:
        return min(self.long, self.short, self.failures) > 1


def case(burn: Burn) -> Case:
    """Return the truth table of an objective's tiers, one line per evaluation; in the end all is well."""
    step = recorded(burn.objective.window)[0]
    tiers = [tier for severity in SEVERITIES for tier in burn.tiers(severity)]
    moments = [moment for tier in tiers for moment in _moments(tier)]
    checks = []
    for position, moment in enumerate(moments):
        shown = moment.short * moment.tier.threshold(burn.budget) / burn.budget
        expected = (as_fired(burn, moment.tier.severity, shown),) if moment.fires else ()
        checks.append(AlertCheck(position * step, series.BURN_ALERT, expected))
    checks.append(AlertCheck(len(moments) * step, series.BURN_ALERT))
    return Case(
        f"{burn.objective.name}: each tier at its threshold",
        step,
        tuple(_inputs(burn, moments)),
        checks,
    )


def _moments(tier: Tier) -> tuple[_Moment, ...]:
    return (
        _Moment(tier),
        _Moment(tier, long=BELOW),
        _Moment(tier, short=BELOW),
        _Moment(tier, failures=BELOW),
    )


def _inputs(burn: Burn, moments: list[_Moment]) -> Iterator[Input]:
    for window in recorded(burn.objective.window):
        labels = matchers({**burn.labels, series.SLO_WINDOW: name(window)})
        ratios, failures = [], []
        for moment in moments:
            share = {moment.tier.long: moment.long, moment.tier.short: moment.short}.get(window, 0.0)
            ratios.append(share * moment.tier.threshold(burn.budget))
            count = moment.failures * burn.objective.fewest_failures
            failures.append(count / window if window == moment.tier.long else 0.0)
        for prefix, values in ((series.ERROR_RATIO, ratios), (series.FAILURES, failures)):
            text = " ".join(number(value) for value in [*values, 0.0])
            yield Input(f"{prefix}{name(window)}{labels}", text)
            yield from strangers.recorded(burn, prefix, window, 1.0, len(values) + 1)
