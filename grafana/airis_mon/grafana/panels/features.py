"""Features against their reference: how far from it, of how many values, and which bins."""

from __future__ import annotations

from collections.abc import Iterator

from grafana_foundation_sdk.builders import timeseries

from airis_mon.grafana import look, queries
from airis_mon.rules import series
from airis_mon.spec import Monitor, format_duration


def panels(monitor: Monitor) -> Iterator[timeseries.Panel]:
    """Yield three graphs where features are watched, else none."""
    drift = monitor.drift
    if drift is None:
        return
    window = format_duration(drift.window)
    distance = look.graph(
        "Distance from the reference",
        f"PSI of each feature over {window}. The dashed line is what it may be at most; once four weeks are "
        "known, what a feature usually moves in a week is drawn beside it, and has to be exceeded too.",
        "",
    )
    yield (
        look.lines(distance, [drift.at_most])
        .min(0)
        .with_target(queries.target(queries.feature(monitor, series.PSI), "{{feature}}", "A"))
        .with_target(
            queries.target(queries.feature(monitor, series.USUAL_SHIFT), "{{feature}}, usual in a week", "B")
        )
    )
    yield (
        look.graph(
            "Values", f"Values of each feature over {window}: of few, chance alone makes PSI large.", ""
        )
        .min(0)
        .with_target(queries.target(queries.feature(monitor, series.OBSERVATIONS), "{{feature}}", "A"))
    )
    moved = (
        f"topk(10, abs({queries.feature(monitor, series.SHARE)} - "
        f"{queries.feature(monitor, series.REFERENCE_SHARE)}))"
    )
    yield look.graph(
        "Bins that have moved most",
        f"Difference between a bin's share over {window} and in the reference, of the ten largest.",
        "ratio",
        width=24,
    ).with_target(queries.target(moved, "{{feature}} {{bin}}", "A"))
