"""A comparison as samples: what rules can alert on, and dashboards draw."""

from __future__ import annotations

import math

from airis_mon.analyzer import series
from airis_mon.analyzer.comparison.account import Comparison
from airis_mon.analyzer.comparison.verdict import VERDICTS
from airis_mon.analyzer.versions import Side
from airis_mon.remote_write import Sample


def samples(monitor: str, model: str, sides: tuple[Side, Side], found: Comparison) -> list[Sample]:
    """Return what is written of a comparison, at its end: who looks at that time again writes the same."""
    written = []
    for one in found.results:
        labels = {
            series.MONITOR: monitor,
            series.MODEL: model,
            series.METRIC: one.measure.name,
            series.BASELINE: sides[0].text,
            series.CANDIDATE: sides[1].text,
        }
        values = [
            (series.CANARY_VERDICT, {series.VERDICT: verdict}, float(verdict == one.verdict))
            for verdict in VERDICTS
        ]
        values += [
            (series.CANARY_DIFFERENCE, {}, one.difference),
            (series.CANARY_LOWER, {}, one.lower),
            (series.CANARY_UPPER, {}, one.upper),
        ]
        written += [
            Sample({"__name__": name, **labels, **more}, found.until * 1000, value)
            for name, more, value in values
            if math.isfinite(value)
        ]
    return written
