"""Requests of remote write as any sender might build them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cramjam

from airis_mon.remote_write import request_2, write_request
from tests.sidecar.conftest import NOW

AT = int((NOW - 60) * 1000)
"""A minute before the sidecar's time, in milliseconds."""
PATH = "/api/v1/write"
TYPES = {
    1: "application/x-protobuf",
    2: "application/x-protobuf;proto=io.prometheus.write.v2.Request",
}
COUNTER, GAUGE, HISTOGRAM = 1, 2, 3

Series = tuple[Sequence[tuple[str, str]], Sequence[tuple[int, float]], Mapping[str, Any]]


def series(name: str, *samples: float | tuple[int, float], **labels: Any) -> Series:
    """A series; what begins with `_` is no label: `_type`, `_help`, `_exemplars`, `_histograms`."""
    meant = {key: labels.pop(key) for key in list(labels) if key.startswith("_")}
    pairs = sorted({"__name__": name, **labels}.items())
    return pairs, [one if isinstance(one, tuple) else (AT, one) for one in samples], meant


def packed(version: int, *given: Series) -> bytes:
    """A request, compressed."""
    return bytes(cramjam.snappy.compress_raw((_version_1 if version == 1 else _version_2)(given)))


def _version_1(given: Sequence[Series]) -> bytes:
    request = write_request()()
    for labels, samples, meant in given:
        one = request.timeseries.add()
        for name, value in labels:
            one.labels.add(name=name, value=value)
        for timestamp, number in samples:
            one.samples.add(timestamp=timestamp, value=number)
        for _ in range(meant.get("_histograms", 0)):
            one.histograms.add()
    return bytes(request.SerializeToString())


def _version_2(given: Sequence[Series]) -> bytes:
    request = request_2()()
    symbols = {"": 0}

    def references(pairs: Sequence[tuple[str, str]]) -> list[int]:
        return [symbols.setdefault(text, len(symbols)) for pair in pairs for text in pair]

    for labels, samples, meant in given:
        one = request.timeseries.add()
        one.labels_refs.extend(references(labels))
        for timestamp, number in samples:
            one.samples.add(timestamp=timestamp, value=number)
        for _ in range(meant.get("_histograms", 0)):
            one.histograms.add()
        for pairs, number in meant.get("_exemplars", ()):
            one.exemplars.add(labels_refs=references(pairs), value=number, timestamp=AT)
        one.metadata.type = meant.get("_type", 0)
        one.metadata.help_ref = references([(meant.get("_help", ""), "")])[0]
    request.symbols.extend(symbols)
    return bytes(request.SerializeToString())
