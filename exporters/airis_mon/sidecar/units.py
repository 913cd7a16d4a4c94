"""Units as senders write them, and the base units of Prometheus."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from airis_mon.sidecar.items import UNIT, ItemError


@dataclass(frozen=True)
class Unit:
    """What a spelling stands for."""

    base: str
    """Base unit in the plural: `seconds`, `bytes`, `ratio`, `tokens`; empty for a plain number."""
    scale: float = 1.0
    """Factor from the spelling to the base unit ..."""
    divisor: float = 1.0
    """... and divisor, as 160 ms over 1000 is 0.16 s to the last bit, and 160 times 0.001 need not be."""
    named: bool = True
    """Whether the base unit becomes the name's ending; not for `{token}`, as OpenTelemetry has it."""

    def convert(self, value: float) -> float:
        """Return a value of the spelling in the base unit."""
        return value * self.scale / self.divisor

    @property
    def suffix(self) -> str:
        """Return the ending of the metric's name, without underscore; empty for none."""
        return self.base.replace("/", "_per_").lstrip("_") if self.named else ""


_SPELLINGS: tuple[tuple[Unit, tuple[str, ...]], ...] = (
    (Unit("seconds"), ("s", "sec", "secs", "second", "seconds")),
    (Unit("seconds", divisor=1e3), ("ms", "msec", "millisecond", "milliseconds")),
    (Unit("seconds", divisor=1e6), ("us", "µs", "μs", "usec", "microsecond", "microseconds")),
    (Unit("seconds", divisor=1e9), ("ns", "nsec", "nanosecond", "nanoseconds")),
    (Unit("seconds", 60.0), ("min", "minute", "minutes")),
    (Unit("seconds", 3600.0), ("h", "hr", "hour", "hours")),
    (Unit("seconds", 86400.0), ("d", "day", "days")),
    (Unit("bytes"), ("B", "By", "byte", "bytes")),
    (Unit("bytes", 1e3), ("kB", "KB", "kBy", "kilobyte", "kilobytes")),
    (Unit("bytes", 1e6), ("MB", "MBy", "megabyte", "megabytes")),
    (Unit("bytes", 1e9), ("GB", "GBy", "gigabyte", "gigabytes")),
    (Unit("bytes", 1e12), ("TB", "TBy", "terabyte", "terabytes")),
    (Unit("bytes", 1024.0), ("KiB", "KiBy", "kibibyte", "kibibytes")),
    (Unit("bytes", 1024.0**2), ("MiB", "MiBy", "mebibyte", "mebibytes")),
    (Unit("bytes", 1024.0**3), ("GiB", "GiBy", "gibibyte", "gibibytes")),
    (Unit("bytes", 1024.0**4), ("TiB", "TiBy", "tebibyte", "tebibytes")),
    (Unit("ratio"), ("ratio", "fraction")),
    (Unit("ratio", divisor=100.0), ("%", "percent", "pct", "percentage")),
    (Unit("celsius"), ("celsius", "Cel", "°C")),
    (Unit("joules"), ("J", "joule", "joules")),
    (Unit("joules", 3.6e6), ("kWh",)),
    (Unit("watts"), ("W", "watt", "watts")),
    (Unit("watts", divisor=1e3), ("mW", "milliwatt", "milliwatts")),
    (Unit("watts", 1e3), ("kW", "kilowatt", "kilowatts")),
    (Unit("volts"), ("V", "volt", "volts")),
    (Unit("amperes"), ("A", "ampere", "amperes")),
    (Unit("hertz"), ("Hz", "hertz")),
    (Unit("hertz", 1e6), ("MHz", "megahertz")),
    (Unit("hertz", 1e9), ("GHz", "gigahertz")),
    (Unit("USD"), ("USD",)),
    (Unit("EUR"), ("EUR",)),
    (Unit("GBP"), ("GBP",)),
)
_COUNTABLE = {
    "batch": "batches",
    "call": "calls",
    "character": "characters",
    "chunk": "chunks",
    "document": "documents",
    "epoch": "epochs",
    "error": "errors",
    "event": "events",
    "feature": "features",
    "image": "images",
    "item": "items",
    "message": "messages",
    "operation": "operations",
    "prediction": "predictions",
    "query": "queries",
    "record": "records",
    "request": "requests",
    "row": "rows",
    "sample": "samples",
    "step": "steps",
    "token": "tokens",
    "tool_call": "tool_calls",
    "user": "users",
    "word": "words",
}
_NUMBER = ("", "1", "count", "none", "number")
# Prometheus names a rate by the singular: `_bytes_per_second`.
_SINGULARS = {"seconds": "second", "bytes": "byte"} | {many: one for one, many in _COUNTABLE.items()}
_PER = re.compile(r"\s*(?:/| per )\s*")
_ANNOTATION = re.compile(r"\{([^{}]*)\}")


def _table() -> Mapping[str, Unit]:
    table = {spelling: Unit("") for spelling in _NUMBER}
    for one, many in _COUNTABLE.items():
        table[one] = table[many] = Unit(many)
    for meant, spellings in _SPELLINGS:
        table.update(dict.fromkeys(spellings, meant))
    return MappingProxyType(table)


UNITS = _table()
"""Every spelling that is understood, besides annotations in braces and rates (`tokens/s`)."""

_KNOWN = ", ".join((*(spellings[0] for _, spellings in _SPELLINGS), *_COUNTABLE.values()))


def unit(text: str) -> Unit:
    """Return the unit of a spelling; ItemError, listing the known ones, where it is none.

    `{token}` is a number of tokens that the name already tells of; `tokens/s` and `MB per minute` are rates.
    """
    numerator, *denominators = _PER.split(text.strip())
    counted = _single(numerator, text)
    if not denominators:
        return counted
    if len(denominators) > 1:
        raise _unknown(text)
    per = _single(denominators[0], text)
    if not per.named or per.base not in _SINGULARS:
        raise _unknown(text)
    base = counted.base if counted.named else ""
    return Unit(f"{base}/{_SINGULARS[per.base]}", counted.scale * per.divisor, counted.divisor * per.scale)


def spelled(ending: str, meant: Unit) -> bool:
    """Say whether the ending of a name is a spelling of the unit that its value was sent in."""
    return bool(ending) and UNITS.get(ending) == meant


def _single(spelling: str, text: str) -> Unit:
    annotation = _ANNOTATION.fullmatch(spelling)
    if annotation is not None:
        word = UNITS.get(annotation[1])
        return Unit(word.base if word is not None else "", named=False)
    found = UNITS.get(spelling)
    if found is None and len(spelling) > 3:
        # Symbols differ by case (`MB`, `mb`), words do not.
        found = UNITS.get(spelling.lower())
    if found is None:
        raise _unknown(text)
    return found


def _unknown(text: str) -> ItemError:
    close = get_close_matches(text, [spelling for spelling in UNITS if spelling], n=1)
    suggestion = f", did you mean `{close[0]}`?" if close else ";"
    return ItemError(
        "unit",
        f"unknown unit `{text}`{suggestion} known are {_KNOWN}, their long forms, 1 for a plain number, "
        f"anything countable in braces such as {{page}}, and rates such as tokens/s",
        UNIT,
    )
