"""Alerts on the analyzer's forecasts: a capacity that will be reached unless somebody acts."""

from __future__ import annotations

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import CONTRACTS, matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.literals import number
from airis_mon.spec import Forecast, Monitor, format_duration

SHARE_OF_HORIZON = 96
SHORTEST, LONGEST = 60.0, 3600.0


def standing(horizon: float) -> float:
    """Return the seconds for which a forecast has to stand before it is told: 15 minutes for a day ahead."""
    return float(round(min(max(horizon / SHARE_OF_HORIZON, SHORTEST), LONGEST)))


def alert(monitor: Monitor, forecast: Forecast, capacity: float) -> Alert:
    """Return the alert of one forecast against its capacity; it can wait for working hours."""
    horizon = format_duration(forecast.horizon)
    chosen = matchers({analyzer.MONITOR: monitor.name, analyzer.FOR: forecast.of, analyzer.HORIZON: horizon})
    unit = CONTRACTS[monitor.source.contract].unit(forecast.of)
    return Alert(
        name=series.FORECAST_ALERT,
        severity="ticket",
        expression=f"{analyzer.EXPECTED}{chosen} >= {number(capacity)}",
        summary=f"{forecast.of} is expected to reach its capacity within {horizon}",
        before=f"The forecast of {forecast.of} {horizon} ahead is ",
        after=f" ({unit}); its capacity is {number(capacity)}.",
        verb="%.3f",
        labels={series.FOR: forecast.of, analyzer.HORIZON: horizon},
        duration=standing(forecast.horizon),
    )
