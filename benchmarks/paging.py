"""What a person who is paged by a detector would say of it: Page-F1, false pages, and the Numenta score.

Samples that score 1 or more are firing. Firing samples at most max(30 min, 3 steps) apart are one episode; an
episode pages at its start and again each max(4 h, 12 steps), as Alertmanager repeats, so that always-on and
flapping detectors both pay. A page from one step before an incident to max(10 min, 2 steps) after it is
true; an incident with a firing sample in that span is found. Precision is of pages, recall of incidents, both
over all series of a set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.labelled import Flags, Floats, Integers, Series

_WEEK = 7 * 86400.0
_APART = 1800.0
_REPEAT = 4 * 3600.0
_TOLERANCE = 600.0


@dataclass(frozen=True)
class Counts:
    """What was paged on one series."""

    true: int
    false: int
    found: int
    incidents: int
    seconds: float
    """Time that was judged."""
    delays: tuple[float, ...]
    """Seconds from the start of each found incident to its first firing sample."""


def counts(series: Series, firing: Flags) -> Counts:
    """Return what a detector that fires on the samples `firing` would have paged."""
    at, step = series.timestamps, series.step
    apart = max(_APART, 3 * step)
    fired = np.flatnonzero(firing)
    fired = fired[fired >= series.warm_up]
    spans = [
        (float(at[first]), float(at[first] - step), float(at[last] + max(_TOLERANCE, 2 * step)))
        for first, last in _incidents(series, apart)
    ]
    true = false = 0
    for first, last in _joined(fired, at, apart):
        for page in np.arange(at[first], at[last] + 1, max(_REPEAT, 12 * step)):
            right = any(begin <= page <= end for _, begin, end in spans)
            true, false = true + right, false + (not right)
    delays = []
    for start, begin, end in spans:
        inside = at[fired][(at[fired] >= begin) & (at[fired] <= end)]
        if len(inside):
            delays.append(max(0.0, float(inside[0] - start)))
    seconds = float(at[-1] - at[series.warm_up])
    return Counts(true, false, len(delays), len(spans), seconds, tuple(delays))


def _joined(index: Integers, at: Integers, apart: float) -> list[tuple[int, int]]:
    """Return the first and last of each group; neighbours in a row belong together at any distance."""
    if not len(index):
        return []
    groups = np.split(index, np.flatnonzero((np.diff(at[index]) > apart) & (np.diff(index) > 1)) + 1)
    return [(int(group[0]), int(group[-1])) for group in groups]


def _incidents(series: Series, apart: float) -> list[tuple[int, int]]:
    """Return the incidents after the warm-up, those close together as one."""
    found: list[tuple[int, int]] = []
    for first, last in series.incidents:
        begin = max(first, series.warm_up)
        if last < begin:
            continue
        if found and series.timestamps[begin] - series.timestamps[found[-1][1]] <= apart:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((begin, last))
    return found


def pooled(rows: Iterable[Counts]) -> dict[str, float]:
    """Return the figures of many series together."""
    some = list(rows)
    true, false = sum(row.true for row in some), sum(row.false for row in some)
    precision = true / max(1, true + false)
    recall = sum(row.found for row in some) / max(1, sum(row.incidents for row in some))
    clean = [row for row in some if not row.incidents]
    delays = [delay for row in some for delay in row.delays]
    return {
        "page_f1": 2 * precision * recall / max(1e-9, precision + recall),
        "precision": precision,
        "recall": recall,
        "false_pages_per_series_week": _weekly(some),
        "clean_pages_per_series_week": _weekly(clean),
        "median_delay_seconds": float(np.median(delays)) if delays else float("nan"),
    }


def _weekly(rows: Sequence[Counts]) -> float:
    seconds = sum(row.seconds for row in rows)
    return _WEEK * sum(row.false for row in rows) / seconds if seconds else 0.0


def numenta(every: Sequence[Series], fires: Sequence[Flags], false_positive: float = 0.11) -> float:
    """Return the benchmark's own score at the threshold as it is: 100 is perfect, 0 is no detection.

    A window found at once is worth 1, one that is missed -1: perfect and nothing are 2 apart a window.
    `false_positive` is 0.11 in its standard profile, 0.22 in the one that rewards few false positives.
    """
    gained, windows = 0.0, 0
    for series, firing in zip(every, fires, strict=True):
        judged = firing.copy()
        judged[: series.warm_up] = False
        weight, owner = _weights(series, false_positive)
        gained += float(weight[judged & (owner < 0)].sum())
        for number, (_, last) in enumerate(sorted(series.incidents)):
            if last >= series.warm_up:
                windows += 1
                hits = weight[judged & (owner == number)]
                gained += float(hits.max()) + 1 if len(hits) else 0.0
    return 50 * gained / max(1, windows)


def _weights(series: Series, false_positive: float) -> tuple[Floats, Integers]:
    """Return what a detection at each sample is worth, and the window that it lies in, -1 for none."""
    count = len(series.values)
    weight, owner = np.full(count, -false_positive), np.full(count, -1)
    bounds = sorted(series.incidents)
    ends = [*(first for first, _ in bounds[1:]), count][: len(bounds)]
    for number, ((first, last), end) in enumerate(zip(bounds, ends, strict=True)):
        width = last - first + 1
        inside, after = np.arange(first, last + 1), np.arange(last + 1, end)
        weight[inside] = _worth((inside - last - 1) / width) / _worth(np.array([-1.0]))
        owner[inside] = number
        late = (after - last) / max(1, width - 1)
        weight[after] = np.where(late > 3, -1.0, _worth(late)) * false_positive
    return weight, owner


def _worth(place: Floats) -> Floats:
    return np.asarray(2 / (1 + np.exp(np.clip(5 * place, -50, 50))) - 1)
