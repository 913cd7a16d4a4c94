"""A reference made of past data: bins of equal share for numbers, the most frequent values for texts.

A column is one of numbers where everything in it that is there is a number. What has nearly as many values as
rows, such as an identifier, has no bins that could be told apart, and is left out.
"""

from __future__ import annotations

import csv
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from airis_mon.instrument.reference import (
    BINS,
    FEATURES,
    LONGEST,
    MISSING,
    OTHER,
    Feature,
    InvalidReference,
    Reference,
    of_numbers,
    of_texts,
)

SAMPLE = 200_000
"""Rows that are kept of more: shares are then exact to a tenth of a percent, and memory is bounded."""
QUANTILES = 10
"""Bins of a number, where nothing else is said; PSI's usual bounds, 0.1 and 0.2, are for ten."""
TOP = 10
"""Categories of a text with bins of their own, where nothing else is said."""
MARKS = frozenset(("na", "n/a", "null", "none"))
"""What stands in columns of numbers in place of one, however it is capitalised; `NA` in a text is Namibia."""
DIGITS = 6
"""Of a share, after the point."""


@dataclass(frozen=True)
class MadeReference:
    """A reference, and what could not become part of it."""

    reference: Reference
    left_out: tuple[str, ...]
    """Columns without bins."""


def reference_of_csv(
    path: Path | str, features: Iterable[str] = (), bins: int = QUANTILES, top: int = TOP
) -> MadeReference:
    """Return the reference of a CSV file with a header; `features` names columns, none stands for all.

    InvalidReference where it has no rows or lacks a column, OSError where it cannot be read.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey=None)
        try:
            return reference_of_rows(reader, features, bins, top)
        except csv.Error as error:
            raise InvalidReference(f"{path}:{reader.line_num}: {error}") from None
        except UnicodeDecodeError:
            raise InvalidReference(f"{path}:{reader.line_num + 1}: not UTF-8; save it so") from None
        except InvalidReference as error:
            raise InvalidReference(f"{path}: {error}") from None


def reference_of_rows(
    rows: Iterable[Mapping[str, object]],
    features: Iterable[str] = (),
    bins: int = QUANTILES,
    top: int = TOP,
) -> MadeReference:
    """Return the reference of rows, each a mapping of features; equal for equal rows."""
    if not 2 <= bins <= BINS - 1 or not 1 <= top <= BINS - 2:
        raise InvalidReference(f"write 2 to {BINS - 1} bins, and 1 to {BINS - 2} categories")
    kept = _sampled(rows)
    wanted = tuple(dict.fromkeys(features))
    columns = {str(name): None for row in kept for name in row if name is not None}
    for name in wanted:
        if name not in columns:
            raise InvalidReference(
                f"there is no column `{name[:60]}`; there are {', '.join([*columns][:20])}"
            )
    found, left_out = [], []
    for name in wanted or columns:
        made = _feature(name, [row.get(name) for row in kept], bins, top)
        if made is None:
            left_out.append(name)
        else:
            found.append(made)
    if not found:
        raise InvalidReference("there is nothing that bins could be made of; a header and rows are wanted")
    if len(found) > FEATURES:
        raise InvalidReference(f"{len(found)} features are too many; name {FEATURES} of them at most")
    return MadeReference(Reference(len(kept), tuple(found)), tuple(left_out))


def _sampled(rows: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Return all rows, or SAMPLE of them of which each row had the same chance to be."""
    kept: list[Mapping[str, object]] = []
    chance = random.Random(0)  # noqa: S311  equal rows, equal reference
    for place, row in enumerate(rows):
        if place < SAMPLE:
            kept.append(row)
        elif (chosen := chance.randrange(place + 1)) < SAMPLE:
            kept[chosen] = row
    return kept


def _feature(name: str, values: list[object], bins: int, top: int) -> Feature | None:
    if not 1 <= len(name) <= LONGEST or not name.isprintable():
        return None
    there = [value for value in values if not _is_missing(value)]
    missing = len(values) - len(there)
    if not there:
        return None
    try:
        numbers = sorted(float(value) for value in there if not _is_mark(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        numbers = []
    if not numbers:
        return _texts(name, [str(value) for value in there], missing, top)
    missing = len(values) - len(numbers)
    last = len(numbers) - 1
    edges = sorted({numbers[round(last * part / bins)] for part in range(1, bins)})
    edges = [edge for edge in edges if math.isfinite(edge)]
    if not edges:
        return None
    feature = of_numbers(name, edges, ())
    counts = Counter(map(feature.bin_of, numbers))
    return of_numbers(name, edges, _shares([*(counts[one] for one in feature.bins[:-1]), missing]))


def _texts(name: str, values: list[str], missing: int, top: int) -> Feature | None:
    counts = Counter(values)
    if len(counts) > 20 and len(counts) > len(values) / 2:
        return None
    usable = [
        (value, count)
        for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if value not in (OTHER, MISSING) and len(value) <= LONGEST and value.isprintable()
    ][:top]
    if not usable:
        return None
    categories, most = zip(*usable, strict=True)
    unseen = counts[MISSING]
    other = len(values) - sum(most) - unseen
    return of_texts(name, categories, _shares([*most, other, missing + unseen]))


def _is_missing(value: object) -> bool:
    if isinstance(value, str):
        return value == "" or value.strip().lower() == "nan"
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_mark(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() in MARKS


def _shares(counts: list[int]) -> list[float]:
    total = sum(counts)
    return [round(count / total, DIGITS) for count in counts]
