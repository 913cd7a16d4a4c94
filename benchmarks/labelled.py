"""Public series with labelled incidents, read from a folder of one's own: none of them lies here.

- `NAB`: `NAB/data/*/*.csv` and `NAB/labels/combined_windows.json` of numenta/NAB.
- `MS`: `MS_CloudMonitoring/data/*/*.csv` of microsoft/cloud-monitoring-dataset (TimeStamp, Value, Label).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Series:
    """One series with its incidents."""

    name: str
    timestamps: Integers
    """Seconds since the epoch."""
    values: Floats
    incidents: tuple[tuple[int, int], ...]
    """First and last sample of each."""
    warm_up: int
    """Samples from the start that are not judged."""

    @property
    def step(self) -> float:
        """The usual distance of two samples, in seconds."""
        return float(np.median(np.diff(self.timestamps)))


def runs(flags: Flags) -> tuple[tuple[int, int], ...]:
    """Return the first and last index of each run of true ones."""
    edges = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return tuple(zip(begins.tolist(), ends.tolist(), strict=True))


def nab(folder: Path) -> Iterator[Series]:
    """Yield the series of the Numenta benchmark, with its own warm-up."""
    windows = json.loads((folder / "NAB/labels/combined_windows.json").read_text(encoding="utf-8"))
    for name, spans in windows.items():
        rows = _rows(folder / "NAB/data" / name)
        at = _seconds([row["timestamp"] for row in rows])
        bounds = [_seconds([begin[:19], end[:19]]) for begin, end in spans]
        places = [np.minimum(np.searchsorted(at, bound), len(at) - 1).tolist() for bound in bounds]
        values = np.array([float(row["value"]) for row in rows])
        warm_up = min(len(at) * 15 // 100, 750)
        yield Series(name, at, values, tuple((first, last) for first, last in places), warm_up)


def ms(folder: Path) -> Iterator[Series]:
    """Yield the series of Microsoft's cloud monitoring set; gaps lie on a line between neighbours."""
    for path in sorted((folder / "MS_CloudMonitoring/data").glob("*/*.csv")):
        rows = [row for row in _rows(path) if row.get("TimeStamp")]
        at = _seconds([row["TimeStamp"].strip()[:19] for row in rows])
        at, kept = np.unique(at, return_index=True)
        values = np.array([float(row["Value"] or "nan") for row in rows])[kept]
        labels = np.array([float(row["Label"] or 0) > 0 for row in rows])[kept]
        known = np.isfinite(values)
        values = np.interp(at, at[known], values[known])
        yield Series(path.stem, at, values, runs(labels), len(at) * 15 // 100)


SETS: Mapping[str, Callable[[Path], Iterator[Series]]] = {"NAB": nab, "MS": ms}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _seconds(texts: list[str]) -> Integers:
    return np.array(texts, dtype="datetime64[s]").astype(np.int64)
