"""Remote write 2.0's message: every text once, in a table of symbols; everything else refers to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import DecodeError

from airis_mon.remote_write.message import request_2
from airis_mon.remote_write.metadata import KINDS, UNKNOWN, Metadata
from airis_mon.remote_write.sample import NAME, Exemplar, Labels, Series

_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


class MessageError(ValueError):
    """Bytes that are no message, or one that refers to what is not there."""


def encoded_2(
    series: Sequence[Series], metadata: Mapping[str, Metadata], otherwise: Metadata = UNKNOWN
) -> bytes:
    """Return the series as a serialised io.prometheus.write.v2.Request, not yet compressed.

    `metadata` is by metric name; a metric that is not there is what `otherwise` says.
    """
    request = request_2()()
    symbols: dict[str, int] = {"": 0}
    known: dict[str, tuple[int, int, int]] = {}

    def reference(text: str) -> int:
        return symbols.setdefault(text, len(symbols))

    def described(name: str) -> tuple[int, int, int]:
        told = metadata.get(name, otherwise)
        return _NUMBERS[told.kind], reference(told.help), reference(told.unit)

    for one in series:
        timeseries = request.timeseries.add()
        timeseries.labels_refs.extend([reference(text) for pair in one.labels for text in pair])
        starts = one.starts
        for timestamp, number in one.samples:
            start = starts.get(timestamp, 0) if starts else 0
            timeseries.samples.add(value=number, timestamp=timestamp, start_timestamp=start)
        for exemplar in one.exemplars:
            told = timeseries.exemplars.add(value=exemplar.value, timestamp=exemplar.timestamp_ms)
            told.labels_refs.extend([reference(text) for pair in exemplar.labels for text in pair])
        name = _name(one.labels)
        if name not in known:
            known[name] = described(name)
        kind, help_ref, unit_ref = known[name]
        about = timeseries.metadata
        about.type, about.help_ref, about.unit_ref = kind, help_ref, unit_ref
    request.symbols.extend(symbols)
    return bytes(request.SerializeToString())


def decoded_2(body: bytes) -> tuple[Series, ...]:
    """Return the series of a message that `encoded_2` wrote; MessageError for anything else."""
    try:
        request = request_2().FromString(body)
    except DecodeError as error:
        raise MessageError(f"no io.prometheus.write.v2.Request: {error}") from None
    symbols = list(request.symbols)
    return tuple(_series(one, symbols) for one in request.timeseries)


def _series(message: Any, symbols: Sequence[str]) -> Series:
    return Series(
        _pairs(message.labels_refs, symbols),
        tuple((sample.timestamp, sample.value) for sample in message.samples),
        {one.timestamp: one.start_timestamp for one in message.samples if one.start_timestamp} or None,
        tuple(
            Exemplar(_pairs(one.labels_refs, symbols), one.value, one.timestamp) for one in message.exemplars
        ),
    )


def _pairs(references: Sequence[int], symbols: Sequence[str]) -> Labels:
    try:
        texts = [symbols[reference] for reference in references]
    except IndexError:
        raise MessageError(f"a label refers to a symbol that is not there; {len(symbols)} are") from None
    if len(texts) % 2:
        raise MessageError("the references of labels are not in pairs")
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def _name(labels: Labels) -> str:
    return next((value for label, value in labels if label == NAME), "")
