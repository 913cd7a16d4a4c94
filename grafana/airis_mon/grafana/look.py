"""How panels look: units, colours, sizes, and the few shapes that all of them share."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)

from airis_mon.grafana.queries import MIN_STEP

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

GREEN, AMBER, RED, BLUE, GREY = "green", "orange", "red", "blue", "#8e8e8e"

UNITS = {
    "seconds": "s",
    "ratio": "percentunit",
    "requests per second": "reqps",
    "tokens per second": "suffix: tok/s",
    "tokens": "suffix: tok",
    "requests": "short",
    "bytes": "bytes",
}
"""Base unit of a signal to Grafana's unit."""

STAT_HEIGHT, GRAPH_HEIGHT = 4, 8


def unit(of: str) -> str:
    """Return Grafana's unit for a base unit; a plain number where it has none."""
    return UNITS.get(of, "short")


def steps(first: str, *rest: tuple[float, str]) -> ThresholdsConfig:
    """Return thresholds: `first` is the colour below them all, then value and colour, ascending."""
    found = [
        Threshold(value=None, color=first),
        *(Threshold(value=value, color=name) for value, name in rest),
    ]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found)


def graph(title: str, description: str, of: str, width: int = 12) -> timeseries.Panel:
    """Return an empty graph over time; `of` is the base unit of its values, `width` counts 24ths."""
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit(of))
        .interval(MIN_STEP)
        .height(GRAPH_HEIGHT)
        .span(width)
        .legend(legend)
        .tooltip(tooltip)
        .line_width(1)
        .fill_opacity(8)
        .show_points(VisibilityMode.NEVER)
    )


def lines(panel: timeseries.Panel, values: Sequence[float]) -> timeseries.Panel:
    """Draw dashed lines at values, such as an objective's threshold; none where there are no values."""
    if not values:
        return panel
    marks = [(value, RED) for value in sorted(set(values))]
    style = common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED)
    return panel.thresholds(steps("transparent", *marks)).thresholds_style(style)


def number(title: str, description: str, of: str, width: int) -> stat.Panel:
    """Return an empty big number, coloured by its thresholds."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit(of))
        .height(STAT_HEIGHT)
        .span(width)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
    )


def value(key: str, content: object) -> DynamicConfigValue:
    """Return one property of an override."""
    return DynamicConfigValue(id_val=key, value=content)


def colour(name: str) -> DynamicConfigValue:
    """Return the property that paints a series in one colour."""
    return value("color", {"mode": "fixed", "fixedColor": name})
