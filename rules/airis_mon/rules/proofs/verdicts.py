"""Which alerts traffic has to raise, worked out from its counts alone."""

from __future__ import annotations

from airis_mon.rules.burn_rate import Burn, alert
from airis_mon.rules.proofs.case import Fired, fired
from airis_mon.rules.proofs.traffic import Traffic
from airis_mon.rules.windows import Tier
from airis_mon.spec import Severity

SEVERITIES: tuple[Severity, ...] = ("page", "ticket")


STEADY, UNSTEADY = 0.001, 0.15
"""Shares within which a ratio is known: over a window of steady traffic, and over one in which it changes.

Prometheus 2 and 3 differ in whether a range includes its left end."""


class UndecidedError(Exception):
    """The traffic is so close to a threshold that rounding would decide."""


def burning(burn: Burn, traffic: Traffic, at: float) -> tuple[Severity, ...]:
    """Return the severities that fire at a time; UndecidedError where a threshold is too close to tell."""
    # Every tier is asked, so that none of them is undecided.
    fires = {tier: _fires(burn, tier, traffic, at) for one in SEVERITIES for tier in burn.tiers(one)}
    return tuple(one for one in SEVERITIES if any(fires[tier] for tier in burn.tiers(one)))


def _fires(burn: Burn, tier: Tier, traffic: Traffic, at: float) -> bool:
    threshold = tier.threshold(burn.budget)
    over = [
        _above(_ratio(traffic, window, at), threshold, _margin(traffic, window, at))
        for window in (tier.short, tier.long)
    ]
    failures = traffic.counts(tier.long, at)[1]
    return all([*over, _above(failures, burn.objective.fewest_failures, UNSTEADY)])


def _margin(traffic: Traffic, window: float, at: float) -> float:
    return STEADY if traffic.steady(window, at) else UNSTEADY


def _ratio(traffic: Traffic, window: float, at: float) -> float:
    operations, failures = traffic.counts(window, at)
    return failures / operations if operations else 0.0


def _above(value: float, threshold: float, margin: float) -> bool:
    if abs(value / threshold - 1) <= margin:
        raise UndecidedError
    return value > threshold


def alerts(burn: Burn, traffic: Traffic, at: float) -> tuple[Fired, ...]:
    """Return the alerts that fire at a time, with the burn rate that each of them shows."""
    return tuple(
        as_fired(burn, severity, _shown(burn, severity, traffic, at))
        for severity in burning(burn, traffic, at)
    )


def _shown(burn: Burn, severity: Severity, traffic: Traffic, at: float) -> float:
    """Return the burn rate over the short window of the first tier that fires.

    UndecidedError where its digits would depend on how the window's left end is treated.
    """
    for tier in burn.tiers(severity):
        if _fires(burn, tier, traffic, at):
            if not (tier.short >= at or traffic.steady(tier.short, at)):
                raise UndecidedError
            return _ratio(traffic, tier.short, at) / burn.budget
    raise LookupError(severity)


def as_fired(burn: Burn, severity: Severity, burn_rate: float) -> Fired:
    """Return the alert of a severity as it fires."""
    return fired(burn.monitor, alert(burn, severity), burn.labels, burn_rate)
