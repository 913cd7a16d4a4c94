"""Series that were written and come no more: each is ended with a stale marker, as recording rules do.

A series ends where its query was answered and its input was not in the answer (a pod is gone, or has another
label), and where a reload took its query away. It does not end where a query failed or was not reached, which
says nothing about the series; nor where the value is NaN or no model is there, since it will be written
again; nor when the process stops: what is started in its place goes on, and a marker between the two would
begin the `for` of every alert anew. Prometheus leaves no markers behind at its own end either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from airis_mon.analyzer import series
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.query import Labels
from airis_mon.remote_write import STALE, Sample

_Key = tuple[str, str, str]
"""Monitor, model and signal: all expressions of it write the same names."""
_Kind = tuple[str, str | None]
"""Name and horizon."""


@dataclass
class _Written:
    inputs: set[Labels] = field(default_factory=set)
    kinds: set[_Kind] = field(default_factory=set)


class Endings:
    """Remembers what the round before wrote."""

    def __init__(self) -> None:
        """Know of nothing: what an earlier process wrote ends by Prometheus' lookback."""
        self._before: dict[_Key, _Written] = {}
        self._now: defaultdict[_Key, _Written] = defaultdict(_Written)
        self._judged: set[Query] = set()

    def saw(self, query: Query, inputs: Iterable[Labels], samples: Iterable[Sample]) -> None:
        """Note what a query was answered in this round, and what is written of it."""
        self._judged.add(query)
        written = self._now[_key(query)]
        written.inputs.update(inputs)
        written.kinds.update(_kind(sample) for sample in samples)

    def ended(self, queries: Iterable[Query], at: int) -> list[Sample]:
        """Return what ends the series that were written in the round before and not in this one."""
        asked: defaultdict[_Key, list[Query]] = defaultdict(list)
        for query in queries:
            asked[_key(query)].append(query)
        markers: list[Sample] = []
        for key, before in self._before.items():
            now = self._now[key] if key in asked else _Written()
            if all(query in self._judged for query in asked.get(key, ())):
                gone = sorted(before.inputs - now.inputs)
                markers += [
                    _marker(key, labels, kind, at) for labels in gone for kind in _sorted(before.kinds)
                ]
            else:
                now.inputs |= before.inputs
            now.kinds |= before.kinds
        self._before = {key: written for key, written in self._now.items() if key in asked and written.inputs}
        self._now, self._judged = defaultdict(_Written), set()
        return markers


def _key(query: Query) -> _Key:
    return query.monitor, query.model, query.signal


def _kind(sample: Sample) -> _Kind:
    name = sample.labels["__name__"]
    # An input may have a label of that name, which these keep.
    plain = name in (series.ACTUAL, series.SCORE, series.PEER_SCORE, series.SHAPE_SCORE)
    return name, None if plain else sample.labels.get(series.HORIZON)


def _sorted(kinds: Iterable[_Kind]) -> list[_Kind]:
    return sorted(kinds, key=lambda kind: (kind[0], kind[1] or ""))


def _marker(key: _Key, labels: Labels, kind: _Kind, at: int) -> Sample:
    name, horizon = kind
    monitor, model, signal = key
    written = {
        **dict(labels),
        "__name__": name,
        series.MONITOR: monitor,
        series.MODEL: model,
        series.FOR: signal,
    }
    if horizon is not None:
        written[series.HORIZON] = horizon
    return Sample(written, at * 1000, STALE)
