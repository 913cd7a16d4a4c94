"""Protobuf's wire format read by hand: a second opinion on what our encoder writes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Decoded:
    labels: tuple[tuple[str, str], ...]
    samples: tuple[tuple[int, bytes], ...]
    """(milliseconds, the eight bytes of the value), because no NaN equals another."""
    starts: tuple[int, ...] = ()
    """Of each sample, in milliseconds; 2.0 alone."""
    exemplars: tuple[tuple[tuple[tuple[str, str], ...], float, int], ...] = ()
    metadata: tuple[int, str, str] = (0, "", "")
    """Type, help and unit; 2.0 alone."""

    def values(self) -> list[tuple[int, float]]:
        return [(at, struct.unpack("<d", raw)[0]) for at, raw in self.samples]


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0

    def varint() -> int:
        nonlocal position
        number = shift = 0
        while True:
            byte = message[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while position < len(message):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            yield number, message[position : position + size]
            position += size


def decode(request: bytes) -> list[Decoded]:
    return [_series(raw) for number, raw in fields(request) if number == 1 and isinstance(raw, bytes)]


def _series(message: bytes) -> Decoded:
    labels, samples = [], []
    for number, raw in fields(message):
        assert isinstance(raw, bytes)
        inner = dict(fields(raw))
        if number == 1:
            name, value = inner.get(1, b""), inner.get(2, b"")
            assert isinstance(name, bytes)
            assert isinstance(value, bytes)
            labels.append((name.decode(), value.decode()))
        elif number == 2:
            value, at = inner.get(1, bytes(8)), inner.get(2, 0)
            assert isinstance(value, bytes)
            assert isinstance(at, int)
            samples.append((at - (1 << 64) if at >= 1 << 63 else at, value))
    return Decoded(tuple(labels), tuple(samples))


def symbols(request: bytes) -> list[str]:
    return [raw.decode() for number, raw in fields(request) if number == 4 and isinstance(raw, bytes)]


def decode_2(request: bytes) -> list[Decoded]:
    table = symbols(request)
    return [
        _series_2(raw, table) for number, raw in fields(request) if number == 5 and isinstance(raw, bytes)
    ]


def _series_2(message: bytes, table: list[str]) -> Decoded:
    labels: tuple[tuple[str, str], ...] = ()
    samples, starts, exemplars, metadata = [], [], [], (0, "", "")
    for number, raw in fields(message):
        assert isinstance(raw, bytes)
        inner = dict(fields(raw)) if number != 1 else {}
        if number == 1:
            labels = _pairs(raw, table)
        elif number == 2:
            value = inner.get(1, bytes(8))
            assert isinstance(value, bytes)
            samples.append((_signed(inner.get(2, 0)), value))
            starts.append(_signed(inner.get(3, 0)))
        elif number == 4:
            value, refs = inner.get(2, bytes(8)), inner.get(1, b"")
            assert isinstance(value, bytes)
            assert isinstance(refs, bytes)
            exemplars.append((_pairs(refs, table), struct.unpack("<d", value)[0], _signed(inner.get(3, 0))))
        elif number == 5:
            kind, about, unit = (inner.get(field, 0) for field in (1, 3, 4))
            assert isinstance(kind, int)
            assert isinstance(about, int)
            assert isinstance(unit, int)
            metadata = (kind, table[about], table[unit])
        else:
            raise AssertionError(f"field {number} of a series")
    return Decoded(labels, tuple(samples), tuple(starts), tuple(exemplars), metadata)


def _pairs(packed: bytes, table: list[str]) -> tuple[tuple[str, str], ...]:
    refs, number, shift = [], 0, 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            refs.append(number)
            number = shift = 0
    texts = [table[ref] for ref in refs]
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def _signed(number: int | bytes) -> int:
    assert isinstance(number, int)
    return number - (1 << 64) if number >= 1 << 63 else number
