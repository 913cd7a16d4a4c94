"""Quantities as people write them: durations in Prometheus' spelling, ratios in percent.

Every ValueError carries two arguments, what is wrong and what to write instead.
"""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(ms|[smhdwy])")
_LONGEST = 40

DURATION_PATTERN = r"^([0-9]{1,15}(\.[0-9]{1,9})?(ms|[smhdwy]))+$"
"""What :func:`parse_duration` accepts, but for the order of the units."""
PERCENT_PATTERN = r"^[0-9]{1,2}(\.[0-9]{1,9})?%$"


def parse_duration(text: str) -> float:
    """Return seconds for `500ms`, `1.5s`, `1h30m`, `30d`; ValueError where it is none.

    Units stand in falling order and once each, as Prometheus wants them; a fraction is allowed.
    """
    position, total, order = 0, Decimal(0), [""]
    while len(text) <= _LONGEST and (match := _PART.match(text, position)):
        total += Decimal(match[1]) * _UNITS[match[2]]
        order.append(match[2])
        position = match.end()
    units = list(_UNITS)
    ranks = [units.index(unit) for unit in order[1:]]
    if not ranks or position != len(text) or ranks != sorted(set(ranks)):
        shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        raise ValueError(
            f"`{shown}` is no duration", "write a number and a unit, such as 500ms, 30s, 5m, 24h or 30d"
        )
    return float(total / 1000)


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


def parse_percent(text: str) -> float:
    """Return the ratio for `99.9%`, with 0 < ratio < 1; ValueError where it is none."""
    if re.fullmatch(PERCENT_PATTERN, text):
        percent = Decimal(text[:-1])
        if percent == 0:
            raise ValueError("a target of 0% promises nothing", "write the share that has to be good, 99.9%")
        if percent < 1:
            raise ValueError(
                f"a target of {text} is met when nearly everything fails",
                f"write {format_percent(float(percent))} if a fraction was meant",
            )
        return float(percent / 100)
    if re.fullmatch(r"100(\.0*)?%", text):
        raise ValueError(
            "a target of 100% leaves no error budget: a single failure breaks it for the whole window",
            "write a target that can be held, 99.9% or 99.99%",
        )
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,12})?", text):
        number = Decimal(text)
        if 0 < number < 1:
            raise ValueError(
                f"`{text}` is a fraction; a target is written in percent",
                f"write {format_percent(float(number))}",
            )
        if 1 < number < 100:
            raise ValueError(f"`{text}` has no unit; a target is written in percent", f"write {text}%")
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    raise ValueError(
        f"`{shown}` is no target", "write the share that has to be good in percent, such as 99.9%"
    )


def format_percent(ratio: float) -> str:
    """Return a ratio as people write it: 0.999 -> `99.9%`."""
    return f"{(Decimal(repr(float(ratio))) * 100).normalize():f}%"
