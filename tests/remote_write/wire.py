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
