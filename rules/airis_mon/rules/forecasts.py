"""Alerts on forecasts: a capacity that will be reached unless somebody acts, and when.

The time that is left is recorded: the straight line from what is now to what is forecast, as far as the
capacity. It is 0 at the capacity and beyond, and absent while the forecast leads away from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import contract_of, matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert, Footnote
from airis_mon.rules.groups import Rule, recording
from airis_mon.rules.literals import number
from airis_mon.spec import Forecast, Monitor, format_duration

SHARE_OF_HORIZON = 96
SHORTEST, LONGEST = 60.0, 3600.0
HOUR = 3600.0


def standing(horizon: float) -> float:
    """Return the seconds for which a forecast has to stand before it is told: 15 minutes for a day ahead."""
    return float(round(min(max(horizon / SHARE_OF_HORIZON, SHORTEST), LONGEST)))


@dataclass(frozen=True)
class Reach:
    """A forecast that is held against a capacity."""

    monitor: Monitor
    forecast: Forecast
    capacity: float

    @property
    def horizon(self) -> str:
        """How far ahead it looks, as in its label."""
        return format_duration(self.forecast.horizon)

    @property
    def _signal(self) -> dict[str, str]:
        return {analyzer.MONITOR: self.monitor.name, analyzer.FOR: self.forecast.of}

    def rule(self) -> Rule:
        """Return the rule that records the seconds until the capacity is reached."""
        chosen = matchers({**self._signal, analyzer.HORIZON: self.horizon})
        ahead = f"max without ({analyzer.HORIZON}) ({analyzer.EXPECTED}{chosen})"
        now = f"{analyzer.ACTUAL}{matchers(self._signal)}"
        capacity = number(self.capacity)
        # `and` tells `readiness` that without the forecast there is neither of the two.
        line = f"clamp_min({capacity} - {now}, 0) / ({ahead} - {now} > 0)"
        beyond = f"({ahead} >= {capacity}) * 0"
        expression = f"{line} * {number(self.forecast.horizon)} and {ahead}\nor\n{beyond}"
        # The other labels are those of the forecast.
        return recording(series.TIME_LEFT, expression, {analyzer.HORIZON: self.horizon})

    def alert(self) -> Alert:
        """Return the alert: the capacity is reached within the horizon; it can wait for working hours."""
        chosen = matchers({**self._signal, analyzer.HORIZON: self.horizon})
        of, capacity = self.forecast.of, number(self.capacity)
        unit = contract_of(self.monitor.source).unit(of)
        hours = number(self.forecast.horizon / HOUR)
        return Alert(
            name=series.FORECAST_ALERT,
            severity="ticket",
            expression=f"{series.TIME_LEFT}{chosen} / {number(HOUR)} <= {hours}",
            summary=f"{of} is expected to reach its capacity within {self.horizon}",
            before=f"{of} is forecast to reach its capacity of {capacity} ({unit}) in ",
            after=f" hours; looked at are {self.horizon}.",
            verb="%.1f",
            labels={series.FOR: of, analyzer.HORIZON: self.horizon},
            duration=standing(self.forecast.horizon),
            footnotes=(self._doubt(),),
        )

    def _doubt(self) -> Footnote:
        """Return what is said of a forecast that has lost to one that learns nothing."""
        return Footnote(
            analyzer.DEMOTED,
            {**self._signal, analyzer.HORIZON: self.horizon},
            self.forecast.by,
            " Its forecasts have lately been worse than the last season said again, which this one is.",
        )


def reaches(monitor: Monitor) -> list[Reach]:
    """Return every forecast of a monitor that is held against a capacity."""
    return [
        Reach(monitor, forecast, forecast.capacity)
        for forecast in monitor.forecasts
        if forecast.capacity is not None
    ]
