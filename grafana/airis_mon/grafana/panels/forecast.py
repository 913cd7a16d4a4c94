"""What is coming, and how far to believe it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from airis_mon.analyzer import series
from airis_mon.grafana import look, queries
from airis_mon.grafana.panels.expectation import shaded
from airis_mon.spec import Forecast, Monitor, format_duration


def panels(monitor: Monitor) -> list[timeseries.Panel]:
    """Return graphs of each forecast: what it says, what came, and how good it has been."""
    return [panel for forecast in monitor.forecasts for panel in _about(monitor, forecast)]


def _about(monitor: Monitor, forecast: Forecast) -> list[timeseries.Panel]:
    found = [ahead(monitor, forecast), hindsight(monitor, forecast)]
    return found if monitor.engine == "rules" else [*found, skill(monitor, forecast)]


def ahead(monitor: Monitor, forecast: Forecast) -> timeseries.Panel:
    """Show what each moment said of the time one horizon later."""
    horizon = format_duration(forecast.horizon)
    limit = "" if forecast.capacity is None else " The dashed line is the capacity."
    panel = look.graph(
        f"{forecast.of} in {horizon}",
        f"The signal now, and what is expected {horizon} later than the time below.{limit}",
        queries.exposed(monitor).unit(forecast.of),
    )
    _draw(panel, monitor, forecast, f"in {horizon}", "")
    return look.lines(panel, [] if forecast.capacity is None else [forecast.capacity])


def hindsight(monitor: Monitor, forecast: Forecast) -> timeseries.Panel:
    """Show what was forecast for each moment, beside what came."""
    horizon = format_duration(forecast.horizon)
    panel = look.graph(
        f"{forecast.of}: forecast and outcome",
        f"What was forecast {horizon} earlier for the time below, and what came. The closer the lines, the "
        "more the forecast beside it is worth.",
        queries.exposed(monitor).unit(forecast.of),
    )
    return _draw(panel, monitor, forecast, "forecast", f" offset {horizon}")


def skill(monitor: Monitor, forecast: Forecast) -> timeseries.Panel:
    """Show how much of what came lay in the band, and how far off the forecast was beside a naive one."""
    horizon = format_duration(forecast.horizon)
    panel = look.graph(
        f"{forecast.of}: how good forecasts were",
        f"Of forecasts {horizon} ahead: the share of outcomes in the band, which is made to hold 0.95, and "
        "the mean error as a multiple of what repeating the last season is off by. Above 1 the forecast is "
        "worth nothing; where that is sure it is demoted, and repeats the last season itself.",
        "",
    )
    named = ((series.COVERAGE, "within the band"), (series.MASE, "error"), (series.DEMOTED, "demoted"))
    for index, (name, legend) in enumerate(named):
        query = queries.analysed(monitor, name, forecast.of, horizon, forecast.by)
        panel.with_target(queries.target(query, legend, queries.letter(index)))
    return look.lines(panel, [1.0])


def _draw(
    panel: timeseries.Panel, monitor: Monitor, forecast: Forecast, legend: str, shift: str
) -> timeseries.Panel:
    horizon = format_duration(forecast.horizon)
    named = (
        (series.ACTUAL, None, "actual", ""),
        (series.EXPECTED, horizon, legend, shift),
        (series.LOWER, horizon, "lower", shift),
        (series.UPPER, horizon, "upper", shift),
    )
    for index, (name, at, title, offset) in enumerate(named):
        query = queries.analysed(monitor, name, forecast.of, at, forecast.by) + offset
        panel.with_target(queries.target(query, title, queries.letter(index)))
    return shaded(panel, "lower", "upper", legend)
