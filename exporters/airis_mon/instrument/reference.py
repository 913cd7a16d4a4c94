"""What a model's features looked like once: the bins that drift is told by, and the share of each.

A reference is a small JSON file, which `airis-mon drift reference FILE.csv` makes of past data and a person
can write by hand:

    {"rows": 12000,
     "features": {
       "age": {"edges": [18, 25, 40], "shares": [0.1, 0.2, 0.5, 0.15], "missing": 0.05},
       "country": {"categories": ["DE", "FR"], "shares": [0.6, 0.3], "other": 0.1}}}

- A number's bins lie between its edges, the right edge included; one more is below, one above: three edges
  have four shares. A text is one of its categories, or `other`.
- What is None, NaN or empty, what is no number where one is wanted, and what is not given at all is
  `missing`.
- The shares of a feature add up to 1. `other` and `missing` are 0 where they are not written.
- `rows` is how many rows the shares were taken from: by it rules know what chance alone would do.
"""

from __future__ import annotations

import itertools
import json
import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

LARGEST = 1 << 20
"""Bytes of a file; fifty features take a twentieth of it."""
FEATURES = 50
"""Features of a model: with BINS for each, a thousand series for each of its processes."""
BINS = 20
"""Bins of one feature, `missing` and `other` among them."""
LONGEST = 100
"""Characters of a feature's or a category's name, which are label values."""
MISSING = "missing"
OTHER = "other"
ROUNDING = 0.005
"""By how much the shares of a feature may differ from 1 in all: people round."""


class InvalidReference(ValueError):  # noqa: N818  says what is, not that it went wrong
    """A reference that cannot be used; its text says where, what, and what to write instead."""


@dataclass(frozen=True)
class Feature:
    """One feature of a model."""

    name: str
    bins: tuple[str, ...]
    """Names, as the label `bin` has them: `(18, 25]`, a category, `other`, `missing`."""
    shares: tuple[float, ...]
    """Of each bin in the reference; they add up to 1."""
    edges: tuple[float, ...] | None = None
    """Of a number, ascending; None for a text."""
    _places: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    """Bin to its position."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {name: place for place, name in enumerate(self.bins)})

    def bin_of(self, value: object) -> str:
        """Return the bin of a value, whatever it is; never raises."""
        if self.edges is None:
            return self._of_text(value)
        try:
            number = float(value)  # type: ignore[arg-type]
        except Exception:
            return MISSING
        return MISSING if math.isnan(number) else self.bins[bisect_left(self.edges, number)]

    def _of_text(self, value: object) -> str:
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        try:
            text = str(value)
        except Exception:
            return MISSING
        return text if text in self._places else OTHER

    def document(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        if self.edges is not None:
            found: dict[str, Any] = {"edges": list(self.edges), "shares": list(self.shares[:-1])}
        else:
            found = {
                "categories": list(self.bins[:-2]),
                "shares": list(self.shares[:-2]),
                OTHER: self.shares[-2],
            }
        return {**found, MISSING: self.shares[-1]}


def of_numbers(name: str, edges: Sequence[float], shares: Sequence[float]) -> Feature:
    """Return a feature of numbers; `shares` has one more than `edges`, and that of `missing` at its end."""
    limits = ["-Inf", *map(spelled, edges), "+Inf"]
    between = [f"({low}, {high}]" for low, high in itertools.pairwise(limits[:-1])]
    last = f"({limits[-2]}, +Inf)"
    return Feature(name, (*between, last, MISSING), tuple(shares), tuple(edges))


def of_texts(name: str, categories: Sequence[str], shares: Sequence[float]) -> Feature:
    """Return a feature of texts; `shares` has those of `other` and `missing` at its end."""
    return Feature(name, (*categories, OTHER, MISSING), tuple(shares))


def spelled(number: float) -> str:
    """Return the shortest decimal that reads back as the same value."""
    return repr(float(number)).removesuffix(".0")


@dataclass(frozen=True)
class Reference:
    """The features of one model, as they were."""

    rows: int
    """Rows of data that the shares were taken from."""
    features: tuple[Feature, ...]

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Return the reference of a file; InvalidReference where it is none, OSError where none is there."""
        with Path(path).open("rb") as file:
            content = file.read(LARGEST + 1)
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: bytes, name: str) -> Self:
        """Return the reference that a file of that name holds."""
        if len(content) > LARGEST:
            raise InvalidReference(
                f"{name}: larger than {LARGEST >> 20} MiB; leave features out, or make their bins fewer"
            )
        try:
            found = json.loads(
                content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant
            )
        except json.JSONDecodeError as error:
            raise InvalidReference(f"{name}:{error.lineno}:{error.colno}: {error.msg}; write JSON") from None
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise InvalidReference(f"{name}:{line}: not UTF-8; save it in that encoding") from None
        except RecursionError:
            raise InvalidReference(f"{name}: too deep; a reference has four levels") from None
        except InvalidReference as error:
            raise InvalidReference(f"{name}: {error}") from None
        rows, features = _Reader(name).reference(found)
        return cls(rows, features)

    def text(self) -> str:
        """Return the file's content, a line for each feature."""
        lines = ",\n".join(
            f"    {json.dumps(feature.name, ensure_ascii=False)}: "
            f"{json.dumps(feature.document(), ensure_ascii=False)}"
            for feature in self.features
        )
        return f'{{\n  "rows": {self.rows},\n  "features": {{\n{lines}\n  }}\n}}\n'

    def binned(self, given: Mapping[str, object]) -> tuple[list[tuple[str, str]], int]:
        """Return feature and bin of one prediction's values, and how many values are of no known feature."""
        found = [(feature.name, feature.bin_of(given.get(feature.name))) for feature in self.features]
        known = sum(feature.name in given for feature in self.features)
        return found, len(given) - known


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidReference(f"the key {_quoted(twice)} stands twice in one object; leave one out")
    return found


def _no_constant(text: str) -> NoReturn:
    raise InvalidReference(f"{text} is no number here; write one, or leave the edge out")


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"


class _Reader:
    """Reads a file's content, and says of what is wrong where it is."""

    def __init__(self, file: str) -> None:
        self._file = file

    def reference(self, found: object) -> tuple[int, tuple[Feature, ...]]:
        """Return rows and features."""
        whole = self._object("", found, ("rows", "features"))
        rows = whole["rows"]
        if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= 10**15:
            self._refuse("rows", f"{_quoted(rows)} is no count of rows", "write a whole number from 1 up")
        features = whole["features"]
        if not isinstance(features, dict) or not 1 <= len(features) <= FEATURES:
            self._refuse(
                "features",
                f"an object of 1 to {FEATURES} features is wanted",
                'write {"age": {"edges": [18, 40], "shares": [0.2, 0.5, 0.3]}}',
            )
        return rows, tuple(self._feature(f"features.{name}", name, one) for name, one in features.items())

    def _feature(self, path: str, name: str, found: object) -> Feature:
        self._name(path, name)
        if isinstance(found, dict) and "categories" in found:
            given = self._object(path, found, ("categories", "shares"), (OTHER, MISSING))
            categories = self._list(f"{path}.categories", given["categories"], BINS - 2)
            for place, category in enumerate(categories):
                self._category(f"{path}.categories[{place}]", category, categories[:place])
            shares = self._shares(path, given, len(categories), (OTHER, MISSING))
            return of_texts(name, categories, shares)
        given = self._object(path, found, ("edges", "shares"), (MISSING,))
        edges = self._list(f"{path}.edges", given["edges"], BINS - 2)
        for place, edge in enumerate(edges):
            self._number(f"{path}.edges[{place}]", edge, -math.inf, math.inf)
            if place and edge <= edges[place - 1]:
                self._refuse(
                    f"{path}.edges[{place}]",
                    f"{_quoted(edge)} is not above the edge before",
                    "let edges rise",
                )
        return of_numbers(name, edges, self._shares(path, given, len(edges) + 1, (MISSING,)))

    def _shares(
        self, path: str, given: Mapping[str, Any], bins: int, more: tuple[str, ...]
    ) -> tuple[float, ...]:
        own = self._list(f"{path}.shares", given["shares"], BINS)
        if len(own) != bins:
            what = "one of each category" if OTHER in more else "one more than edges"
            self._refuse(f"{path}.shares", f"{len(own)} shares are given", f"write {bins}: {what}")
        for place, share in enumerate(own):
            self._number(f"{path}.shares[{place}]", share, 0, 1)
        for key in more:
            self._number(f"{path}.{key}", given.get(key, 0), 0, 1)
        shares = (*own, *(given.get(key, 0) for key in more))
        total = math.fsum(shares)
        if abs(total - 1) > ROUNDING:
            self._refuse(
                f"{path}.shares",
                f"shares add up to {total:.4g}",
                f"let them add up to 1, {more[-1]} among them",
            )
        return tuple(share / total for share in shares)

    def _object(
        self, path: str, found: object, needed: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        keys = ", ".join((*needed, *optional))
        if not isinstance(found, dict):
            self._refuse(path, f"{_quoted(found)} is no object", f"write one with the keys {keys}")
        for key in needed:
            if key not in found:
                self._refuse(path, f"the key {key} is missing", f"known are {keys}")
        for key in found:
            if key not in (*needed, *optional):
                self._refuse(path, f"unknown key {_quoted(key)}", f"known are {keys}")
        return found

    def _list(self, path: str, found: object, most: int) -> list[Any]:
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            self._refuse(path, "no list of that size can be used here", f"write a list of 1 to {most}")
        return found

    def _number(self, path: str, found: object, low: float, high: float) -> None:
        sound = isinstance(found, int | float) and not isinstance(found, bool)
        try:
            sound = sound and math.isfinite(found) and low <= found <= high  # type: ignore[arg-type,operator]
        except OverflowError:
            sound = False
        if not sound:
            limits = "a share from 0 to 1" if high == 1 else "a number"
            self._refuse(path, f"{_quoted(found)} cannot be used here", f"write {limits}")

    def _category(self, path: str, found: object, before: Sequence[object]) -> None:
        if not isinstance(found, str):
            self._refuse(path, f"{_quoted(found)} is no text", f"write {_quoted(str(found))}")
        self._name(path, found)
        if found in (OTHER, MISSING):
            self._refuse(path, f"`{found}` has a share of its own", f"write `{found}` beside `categories`")
        if found in before:
            self._refuse(path, f"{_quoted(found)} stands twice", "leave one out")

    def _name(self, path: str, found: str) -> None:
        if not 1 <= len(found) <= LONGEST or not found.isprintable():
            self._refuse(
                path, f"{_quoted(found)} can be no label", f"write 1 to {LONGEST} printed characters"
            )

    def _refuse(self, path: str, message: str, hint: str) -> NoReturn:
        where = "".join(_shortened(path))
        raise InvalidReference(f"{self._file}: {where + ': ' if where else ''}{message}; {hint}")


def _shortened(path: str) -> Iterator[str]:
    yield path if len(path) <= LONGEST else path[: LONGEST - 1] + "…"
