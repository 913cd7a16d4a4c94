"""Quantities as people write them: durations in Prometheus' spelling, ratios in percent."""

from __future__ import annotations

import re

_UNITS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|[smhdwy]))")


def parse_duration(text: str) -> float:
    """Return seconds for `500ms`, `1.5s`, `1h30m`, `30d`; ValueError with an example where it is none."""
    position, total = 0, 0.0
    for match in _DURATION.finditer(text):
        if match.start() != position:
            break
        total += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if not text or position != len(text):
        raise ValueError(
            f"`{text}` is no duration; write a number and a unit, such as 500ms, 30s, 5m, 24h or 30d"
        )
    return total / 1000


def format_duration(seconds: float) -> str:
    """Return the shortest Prometheus spelling: 300 -> `5m`, 5400 -> `1h30m`, 0.25 -> `250ms`."""
    milliseconds = round(seconds * 1000)
    if milliseconds == 0:
        return "0s"
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, milliseconds = divmod(milliseconds, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
