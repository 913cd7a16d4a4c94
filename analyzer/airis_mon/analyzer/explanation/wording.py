"""Numbers, moments and spans as a reader likes them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from airis_mon.spec import format_duration

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def number(value: float, unit: str = "") -> str:
    """Return a value to four digits with its unit; a share as percent."""
    if not math.isfinite(value):
        return "nothing"
    if unit == "ratio":
        return f"{_digits(100 * value)}%"
    if unit == "seconds":
        for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if abs(value) >= size or (size == 1e-6 and value):
                return f"{_digits(value / size)} {name}"
        return "0 s"
    return f"{_digits(value)} {unit}".rstrip()


def scored(score: float) -> str:
    """Return a score; how far beyond a thousand it is says nothing more."""
    return f"{score:.2f}" if score <= 1000 else "more than 1,000"


def difference(value: float, unit: str = "") -> str:
    """Return how far two values are from each other: of shares, that is in percentage points."""
    if unit != "ratio" or not math.isfinite(value):
        return number(value, unit)
    points = _digits(100 * value)
    return f"{points} percentage point" + ("" if points == "1" else "s")


def _digits(value: float) -> str:
    """Return four significant digits, thousands apart, no exponent where a person reads without."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e15 or size < 1e-6:
        return f"{value:.3e}"
    places = max(0, 3 - math.floor(math.log10(size)))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(at: float) -> str:
    """Return a time in UTC with its weekday, to the second where it is not a whole minute."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{_DAYS[when.weekday()]} {when:%Y-%m-%d %H:%M}" + (f":{when:%S}" if when.second else "")


def clock(at: float) -> str:
    """Return the time of day in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"


def date(at: float) -> str:
    """Return weekday and date in UTC."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{_DAYS[when.weekday()]} {when:%Y-%m-%d}"


def span(seconds: float) -> str:
    """Return a duration in its two largest units: `3d4h`, `17m`."""
    whole = round(seconds)
    for size, below in ((86400, 3600), (3600, 60), (60, 1)):
        if whole >= size:
            rounded = round(whole / below) * below
            return format_duration(rounded)
    return format_duration(whole) if whole else "0s"


def plural(count: int, what: str) -> str:
    """Return `1 day`, `2 days`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
