"""OpenTelemetry's names and units as Prometheus has them: `UnderscoreEscapingWithSuffixes`.

The rules are those of Prometheus' own OTLP receiver, so that a series has one name whichever way it came.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType

from airis_mon.sidecar.items import NAME, TAGS, ItemError
from airis_mon.sidecar.names import check_free
from airis_mon.sidecar.series import Kind

LONGEST = 255
"""Characters of an instrument's name, as OpenTelemetry limits it."""

_WORD = re.compile(r"[a-zA-Z0-9:]+")
_UNIT_WORD = re.compile(r"[a-zA-Z0-9]+")
_LABEL_GAP = re.compile(r"[^a-zA-Z0-9]+")

UNITS = MappingProxyType(
    {
        "d": "days",
        "h": "hours",
        "min": "minutes",
        "s": "seconds",
        "ms": "milliseconds",
        "us": "microseconds",
        "ns": "nanoseconds",
        "By": "bytes",
        "KiBy": "kibibytes",
        "MiBy": "mebibytes",
        "GiBy": "gibibytes",
        "TiBy": "tibibytes",
        "KBy": "kilobytes",
        "MBy": "megabytes",
        "GBy": "gigabytes",
        "TBy": "terabytes",
        "m": "meters",
        "V": "volts",
        "A": "amperes",
        "J": "joules",
        "W": "watts",
        "g": "grams",
        "Cel": "celsius",
        "Hz": "hertz",
        "1": "",
        "%": "percent",
    }
)
PER_UNITS = MappingProxyType(
    {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
)


def family_name(name: str, unit: str, kind: Kind) -> str:
    """Return the family's name, without a counter's `_total`; ItemError for a name that cannot be one."""
    if len(name) > LONGEST or len(unit) > LONGEST:
        raise ItemError("name", f"name or unit is longer than {LONGEST} characters", NAME)
    return _family_name(name, unit, kind)


@lru_cache(maxsize=10_000)
def _family_name(name: str, unit: str, kind: Kind) -> str:
    words = _WORD.findall(name)
    if not any(character.isalnum() for word in words for character in word):
        raise ItemError("name", f"`{name}` leaves no name; write letters, digits, dots, underscores", NAME)
    main, _, per = unit.partition("/")
    words.extend(word for word in (_main(main), _per(per)) if word and word not in words)
    if kind == "counter":
        words = [word for word in words if word != "total"]
        if not words:
            raise ItemError("name", f"`{name}` says only that it is a total, not of what", NAME)
    if unit.strip() == "1" and kind == "gauge":
        words = [*(word for word in words if word != "ratio"), "ratio"]
    found = "_".join(words)
    if found[0].isdigit():
        found = f"_{found}"
    return check_free(found)


@lru_cache(maxsize=10_000)
def label_name(key: str) -> str:
    """Return the label's name for an attribute's key; ItemError for one that leaves none."""
    name = _LABEL_GAP.sub("_", key)
    if len(key) > LONGEST or not name.strip("_"):
        raise ItemError(
            "attributes",
            f"`{key[:80]}` leaves no label name; write 1 to {LONGEST} letters, digits, dots and underscores",
            TAGS,
        )
    if name[0].isdigit():
        return f"key_{name}"
    return f"key{name}" if name[0] == "_" else name


def _main(unit: str) -> str:
    unit = unit.strip()
    # Annotations in braces are no unit: `{token}`.
    return "" if "{" in unit else UNITS.get(unit, "_".join(_UNIT_WORD.findall(unit)))


def _per(unit: str) -> str:
    unit = unit.strip()
    if not unit or "{" in unit:
        return ""
    word = PER_UNITS.get(unit, "_".join(_UNIT_WORD.findall(unit)))
    return f"per_{word}" if word else ""
