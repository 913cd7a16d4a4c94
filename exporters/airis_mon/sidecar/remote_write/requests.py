"""Bytes of a request into series with samples, the same for both versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

from google.protobuf.message import DecodeError

from airis_mon.remote_write import request_2, write_request
from airis_mon.sidecar.decoding import BodyError, Budget
from airis_mon.sidecar.items import SCHEMA, ItemError
from airis_mon.sidecar.series import Exemplar, Kind

MOST_LABELS = 128
"""Of one series."""
MOST_EXEMPLARS = 16
"""Of one series in one request; the last one is kept."""

_KINDS: dict[int, Kind] = {1: "counter", 2: "gauge"}
"""Types of 2.0's metadata that a series can have by itself; parts of a histogram are numbers."""
_SYMBOLS_PER_SAMPLE = 32

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Written:
    """One series of a request."""

    labels: Pairs
    """As they came, `__name__` among them."""
    samples: tuple[tuple[int, float], ...]
    """(milliseconds since 1970, value)."""
    histograms: int = 0
    """Native histograms, which are counted only to be refused."""
    kind: Kind = "unknown"
    documentation: str = ""
    exemplars: tuple[Exemplar, ...] = ()
    error: ItemError | None = None
    """Why the series cannot even be named."""


def version_1(body: bytes, limit: int) -> list[Written]:
    """Return the series of a 1.0 request; BodyError for what is none, TooManyItemsError for too many."""
    try:
        request = write_request().FromString(body)
    except DecodeError as error:
        raise BodyError(f"no prometheus.WriteRequest: {error}") from None
    room = _Room(limit)
    room.series.spend(request.timeseries)
    return [
        Written(
            tuple((label.name, label.value) for label in islice(series.labels, MOST_LABELS + 1)),
            *room.values(series),
        )
        for series in request.timeseries
    ]


def version_2(body: bytes, limit: int) -> list[Written]:
    """Return the series of a 2.0 request; BodyError for what is none, TooManyItemsError for too many."""
    try:
        request = request_2().FromString(body)
    except DecodeError as error:
        raise BodyError(f"no io.prometheus.write.v2.Request: {error}") from None
    room = _Room(limit)
    room.series.spend(request.timeseries)
    Budget(_SYMBOLS_PER_SAMPLE * limit, "symbols").spend(request.symbols)
    symbols = list(request.symbols)
    if request.timeseries and (not symbols or symbols[0]):
        raise BodyError("the first of the symbols has to be the empty text")
    return [_series_2(series, symbols, room) for series in request.timeseries]


def _series_2(series: Any, symbols: Sequence[str], room: _Room) -> Written:
    samples, histograms = room.values(series)
    try:
        labels = _pairs(series.labels_refs, symbols)
        exemplars = tuple(
            Exemplar(tuple(sorted(_pairs(one.labels_refs, symbols))), one.value, one.timestamp / 1e3)
            for one in series.exemplars[-MOST_EXEMPLARS:]
        )
        documentation = symbols[series.metadata.help_ref]
    except IndexError:
        error = ItemError("labels_refs", f"refers to a symbol that is not there; {len(symbols)} are", SCHEMA)
        return Written((), samples, histograms, error=error)
    kind = _KINDS.get(series.metadata.type, "unknown")
    return Written(labels, samples, histograms, kind, documentation, exemplars)


def _pairs(references: Sequence[int], symbols: Sequence[str]) -> Pairs:
    taken = references[: 2 * MOST_LABELS + 2]
    if len(taken) % 2:
        raise IndexError
    found = [symbols[reference] for reference in taken]
    return tuple(zip(found[::2], found[1::2], strict=True))


class _Room:
    """How much of one request is converted."""

    def __init__(self, limit: int) -> None:
        self.series = Budget(limit, "series")
        self._samples = Budget(limit, "samples")

    def values(self, series: Any) -> tuple[tuple[tuple[int, float], ...], int]:
        """Return a series' samples in the order of their time, and how many histograms it has."""
        self._samples.spend(series.samples)
        self._samples.spend(series.histograms)
        samples = tuple((sample.timestamp, sample.value) for sample in series.samples)
        if any(before > after for (before, _), (after, _) in pairwise(samples)):
            samples = tuple(sorted(samples, key=lambda sample: sample[0]))
        return samples, len(series.histograms)
