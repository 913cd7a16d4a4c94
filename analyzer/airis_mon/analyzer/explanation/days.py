"""The remembered days as bars, each as high as its worst departure, beside the threshold they led to."""

from __future__ import annotations

import html
from collections.abc import Sequence

from airis_mon.analyzer.explanation.drawing import LEFT, RIGHT, WIDTH
from airis_mon.analyzer.explanation.grounds import Threshold
from airis_mon.analyzer.explanation.wording import date, difference, number

_HEIGHT, _TOP, _FLOOR = 150, 12, 124
_WIDEST = 40.0
_LABELS = 10
_NEAR = 0.13
"""Share of the height at which two labels would lie upon each other."""


def bars(threshold: Threshold, unit: str, departure: float) -> str:
    """Return the drawing; nothing where no day is known."""
    if not threshold.days:
        return ""
    tallest = max(threshold.distance, abs(departure), *(day.worst for day in threshold.days)) or 1.0
    right, room = WIDTH - RIGHT, (WIDTH - LEFT - RIGHT) / len(threshold.days)
    every = -(-len(threshold.days) // _LABELS)

    def y(value: float) -> float:
        return round(_FLOOR - value / tallest * (_FLOOR - _TOP), 1)

    parts = [f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{_FLOOR}" y2="{_FLOOR}"/>']
    for index, day in enumerate(threshold.days):
        x, width = LEFT + (index + 0.15) * room, min(0.7 * room, _WIDEST)
        kind = "day over" if day.worst >= threshold.distance else "day"
        said = html.escape(f"{date(day.begin)}: {difference(day.worst, unit)} off")
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y(day.worst)}" width="{width:.1f}" '
            f'height="{_FLOOR - y(day.worst):.1f}"><title>{said}</title></rect>'
        )
        if (len(threshold.days) - 1 - index) % every == 0:
            parts.append(
                f'<text x="{x + width / 2:.1f}" y="{_FLOOR + 17}" text-anchor="middle">'
                f"{html.escape(date(day.begin)[9:])}</text>"
            )
    lines = [("limit", threshold.distance), ("marked", abs(departure))]
    for kind, value in lines:
        parts.append(f'<line class="{kind}" x1="{LEFT}" x2="{right}" y1="{y(value)}" y2="{y(value)}"/>')
    for value in _apart([*(value for _, value in lines), 0.0], tallest):
        text = html.escape(number(value, unit))
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{text}</text>')
    label = f"Worst departure of each remembered day; {difference(threshold.distance, unit)} is anomalous"
    return (
        f'<svg viewBox="0 0 {WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def _apart(values: Sequence[float], tallest: float) -> list[float]:
    """Return the values whose labels do not lie upon one before them."""
    kept: list[float] = []
    for value in values:
        if all(abs(value - other) > _NEAR * tallest for other in kept):
            kept.append(value)
    return kept
