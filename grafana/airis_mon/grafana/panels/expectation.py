"""What the analyzer expected, and how far off the present is."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.models.common import GraphTresholdsStyleMode

from airis_mon.analyzer import series
from airis_mon.grafana import look, queries
from airis_mon.spec import Anomaly, Monitor, format_duration

ANOMALOUS = 1


def panels(monitor: Monitor) -> list[timeseries.Panel]:
    """Return two graphs per anomaly: the signal in its band, and its score."""
    return [
        panel for anomaly in monitor.anomalies for panel in (band(monitor, anomaly), score(monitor, anomaly))
    ]


def band(monitor: Monitor, anomaly: Anomaly) -> timeseries.Panel:
    """Show the signal, what was expected of it, and the band in which it is unremarkable."""
    unit = queries.exposed(monitor).unit(anomaly.of)
    panel = look.graph(
        f"{anomaly.of}: expected and actual",
        f"The signal over {format_duration(anomaly.window)}, and the band that its own past of "
        f"{format_duration(monitor.history(anomaly))} makes likely.",
        unit,
    )
    named = (
        (series.ACTUAL, None, "actual"),
        (series.EXPECTED, series.NOW, "expected"),
        (series.LOWER, series.NOW, "lower"),
        (series.UPPER, series.NOW, "upper"),
    )
    for index, (name, horizon, legend) in enumerate(named):
        query = queries.analysed(monitor, name, anomaly.of, horizon, anomaly.by)
        panel.with_target(queries.target(query, legend, queries.letter(index)))
    return shaded(panel, "lower", "upper", "expected")


def shaded(panel: timeseries.Panel, lower: str, upper: str, middle: str) -> timeseries.Panel:
    """Fill between two of a panel's series, by their legends, and dash the line between them."""
    edge = [look.colour(look.BLUE), look.value("custom.lineWidth", 0)]
    hidden = look.value("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False})
    dashes = {"fill": "dash", "dash": [6, 6]}
    return (
        panel.override_by_name(lower, [*edge, hidden, look.value("custom.fillOpacity", 0)])
        .override_by_name(
            upper,
            [
                *edge,
                hidden,
                look.value("custom.fillBelowTo", lower),
                look.value("custom.fillOpacity", 18),
            ],
        )
        .override_by_name(
            middle,
            [
                look.colour(look.BLUE),
                look.value("custom.lineStyle", dashes),
                look.value("custom.fillOpacity", 0),
            ],
        )
    )


def score(monitor: Monitor, anomaly: Anomaly) -> timeseries.Panel:
    """Show the anomaly score, with the line from which on it counts."""
    style = common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED_AND_AREA)
    query = queries.analysed(monitor, series.SCORE, anomaly.of, None, anomaly.by)
    return (
        look.graph(
            f"{anomaly.of}: anomaly score",
            f"0 is as expected; from {ANOMALOUS} on it is anomalous, and after "
            f"{format_duration(anomaly.duration)} a {anomaly.severity} is sent. It stays 0 while there is "
            "too little history.",
            "",
        )
        .min(0)
        .axis_soft_max(1.5 * ANOMALOUS)
        .thresholds(look.steps("transparent", (ANOMALOUS, look.RED)))
        .thresholds_style(style)
        .with_target(queries.target(query, "score", "A"))
    )
