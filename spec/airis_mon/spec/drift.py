"""What a model's features should look like: a reference that they are held against, and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field, ListOf, MapOf, Record
from airis_mon.spec.scalars import Duration, Number, Text
from airis_mon.spec.words import DAY, HOUR, LABEL, LABEL_VALUE

SHORTEST, LONGEST = HOUR, 7 * DAY
"""Seconds of a window: weeks are compared with one another, and must not overlap."""
USUAL = 0.2
"""Value of PSI that is told where nothing else is said: the bound that has been in use for scorecards since
the nineties. It is only a floor: what moves more than that from week to week has to move more to be told."""

LEAST, MOST = 0.01, 10
"""Values of PSI that a feature can be held to: below, no reference has rows enough; none is above."""


@dataclass(frozen=True)
class Distribution:
    """What one feature looked like in the reference."""

    feature: str
    bins: tuple[tuple[str, float], ...]
    """Name and share of each bin, as the application counts them; shares add up to 1."""


@dataclass(frozen=True)
class Drift:
    """Features that are held against a reference."""

    reference: str
    """File that holds it, relative to the document."""
    window: float = DAY
    """Seconds of what is held against it. A day, as traffic of the night differs from that of the day."""
    at_most: float = USUAL
    """Value of PSI up to which a feature has not drifted."""
    features: tuple[str, ...] = ()
    """Those that are watched; empty stands for all of the reference."""
    selector: Mapping[str, str] = field(default_factory=dict)
    """Labels of the series of features, where another process exposes them; empty stands for the source's."""
    rows: int = 0
    """Rows that the reference was made of."""
    distributions: tuple[Distribution, ...] = ()
    """Content of the reference, as far as it is watched; empty until somebody has read the file."""


def _can_be_held(drift: Drift, path: str, reading: Reading) -> None:
    where = reading.places.get(f"{path}.at_most")
    if where is not None and not LEAST <= drift.at_most <= MOST:
        message = f"no feature can be held to a PSI of {drift.at_most:g}"
        reading.refuse(where, f"{path}.at_most", message, f"write {LEAST} to {MOST}, such as {USUAL}")


DRIFT = Record(
    "Drift",
    (
        Field(
            "reference",
            Text(wanted="the path of a file", longest=1000),
            "JSON file of bins and shares, relative to this document; see `airis-mon drift reference`.",
            required=True,
        ),
        Field(
            "window",
            Duration(SHORTEST, LONGEST),
            "How much of what was seen last is held against the reference.",
            default="1d",
        ),
        Field(
            "at_most",
            Number(),
            "PSI up to which a feature has not drifted, 0.2 unless said otherwise; what moves more than "
            "that from week to week may move more.",
        ),
        Field(
            "features",
            ListOf(Text(wanted="a feature", longest=100), "feature", most=50, unique=("",)),
            "Features that are watched; left out, all of the reference.",
        ),
        Field(
            "selector",
            MapOf(LABEL, LABEL_VALUE, "label", fewest=1),
            "Labels of the series of features, where these are not the source's.",
        ),
    ),
    Drift,
    check=_can_be_held,
)
