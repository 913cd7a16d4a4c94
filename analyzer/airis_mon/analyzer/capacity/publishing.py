"""A plan as samples: what dashboards draw and rules can alert on."""

from __future__ import annotations

from airis_mon.analyzer import series
from airis_mon.analyzer.capacity.plan import Plan
from airis_mon.remote_write import Sample
from airis_mon.spec import format_duration

_DAY = 86_400
_HORIZONS = (1, 7, 14, 30)
"""Days that are told of beside all days of a plan: an autoscaler's, a sprint's, an order's of hardware."""


def samples(monitor: str, model: str, plan: Plan, at: int) -> list[Sample]:
    """Return what is written of a plan that was made at `at`, in seconds since the epoch.

    Plans follow from what lay before: who makes one at that time again writes the same.
    """
    labels = {series.MONITOR: monitor, series.MODEL: model}
    found = [Sample({"__name__": series.REPLICAS, **labels}, at * 1000, float(plan.replicas))]
    known = len(plan.days)
    for days in sorted({*(one for one in _HORIZONS if one < known), known}):
        ahead = {**labels, series.HORIZON: format_duration(days * _DAY)}
        for name, needed in (
            (series.REPLICAS_NEEDED, max(day.needed for day in plan.days[:days])),
            (series.REPLICAS_NEEDED_UPPER, max(day.needed_upper for day in plan.days[:days])),
        ):
            found.append(Sample({"__name__": name, **ahead}, at * 1000, float(needed)))
    return found
