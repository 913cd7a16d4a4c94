"""The messages of remote read 1.0, by hand: a request is a few numbers, of an answer only frames are read.

A `TimeSeries` of an answer is the same message as that of a remote write, so its bytes can be handed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_TYPES = {"=": 0, "!=": 1, "=~": 2, "!~": 3}
_VARINT, _LENGTH = 0, 2
"""Wire types of protobuf: a number, and bytes with their length before them."""


@dataclass(frozen=True)
class Query:
    """Series, and the time from which and to which their samples are wanted."""

    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator (`=`, `!=`, `=~`, `!~`) and value."""
    start_ms: int
    """Milliseconds since the epoch; included."""
    end_ms: int
    """Likewise included."""


_TIMESTAMPS = {2: 2, 4: 15}
"""Of a series its samples and its histograms, with the field of each that is its time."""


@dataclass(frozen=True)
class RawSeries:
    """One series of an answer, as it came."""

    content: bytes
    """A serialised `prometheus.TimeSeries`."""

    @property
    def key(self) -> bytes:
        """Its labels, as they came: equal for equal series of one server."""
        end = 0
        for number, start, stop in _frames(self.content):
            if number != 1 or start is None:
                break
            end = stop
        return self.content[:end]

    @property
    def first_ms(self) -> int | None:
        """Time of its first sample or histogram, in milliseconds; None where it has none.

        Those of an answer are in order of time. A series of both kinds is read from its samples.
        """
        for number, start, end in _frames(self.content):
            if number in _TIMESTAMPS and start is not None:
                return _number_in(self.content[start:end], _TIMESTAMPS[number])
        return None


def request(queries: Sequence[Query]) -> bytes:
    """Return a serialised `prometheus.ReadRequest`."""
    return b"".join(_framed(1, _query(query)) for query in queries)


def answered(answer: bytes) -> Iterator[list[RawSeries]]:
    """Yield the series of each result of a serialised `prometheus.ReadResponse`, or raise ValueError."""
    for result, start, stop in _frames(answer):
        if result == 1 and start is not None:
            inner = answer[start:stop]
            yield [
                RawSeries(inner[begin:end])
                for number, begin, end in _frames(inner)
                if number == 1 and begin is not None
            ]


def write_body(series: Iterable[RawSeries]) -> bytes:
    """Return a serialised `prometheus.WriteRequest` that carries these series."""
    return b"".join(_framed(1, one.content) for one in series)


def _query(query: Query) -> bytes:
    matchers = b"".join(
        _framed(3, _number(1, _TYPES[operator]) + _framed(2, label.encode()) + _framed(3, value.encode()))
        for label, operator, value in query.matchers
    )
    return _number(1, query.start_ms) + _number(2, query.end_ms) + matchers


def _framed(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _number_in(message: bytes, field: int) -> int:
    """Return the number that a field holds; 0 where it is not written."""
    begin = 0
    for number, _, end in _frames(message):
        if number == field:
            _, value = _read_varint(message, begin)  # behind its tag
            found = _read_varint(message, value)[0]
            return found - (1 << 64) if found >> 63 else found
        begin = end
    return 0


def _frames(content: bytes) -> Iterator[tuple[int, int | None, int]]:
    """Yield field number, begin (None for what has no length before it) and end of each field."""
    at = 0
    while at < len(content):
        tag, at = _read_varint(content, at)
        kind, start = tag & 7, None
        if kind == _VARINT:
            _, at = _read_varint(content, at)
        elif kind == _LENGTH:
            size, start = _read_varint(content, at)
            at = start + size
        elif kind in (1, 5):  # eight and four bytes
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} is none of remote read's")
        if at > len(content):
            raise ValueError("it ends within a field")
        yield tag >> 3, start, at


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(content) or shift > 63:
            raise ValueError("it ends within a number")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
