"""The objects in a body: JSON one after the other, lines, an array, or msgpack as Fluent Bit writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airis_mon.sidecar.decoding import MSGPACK, BodyError, TooManyItemsError
from airis_mon.sidecar.intake import Refusal
from airis_mon.sidecar.items import MALFORMED, ItemError

_SPACE = re.compile(r"[ \t\r\n]*")
_EVENT_TIME = 0
"""Fluent Bit's extension type: seconds and nanoseconds, four bytes each."""


@dataclass
class Objects:
    """A body's objects by index, and what is none."""

    items: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def objects(body: bytes, media: str, limit: int) -> Objects:
    """Return the objects; BodyError where the body cannot be read, TooManyItemsError beyond the limit."""
    try:
        values = _msgpack(body) if media == MSGPACK else _json(body)
        found = Objects()
        for index, value in enumerate(values):
            if index == limit:
                raise TooManyItemsError(f"more than {limit} records in one request; send smaller batches")
            if isinstance(value, dict):
                found.items.append((index, value))
            else:
                error = ItemError("", f"a record is an object, not {type(value).__name__}", MALFORMED)
                found.refusals.append(Refusal(index, error))
    except RecursionError:
        raise BodyError("the body is nested too deep") from None
    return found


def _json(body: bytes) -> Iterator[Any]:
    try:
        whole = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        yield from _stream(body)
        return
    yield from whole if isinstance(whole, list) else (whole,)


def _stream(body: bytes) -> Iterator[Any]:
    """Yield JSON values that stand one after the other, in lines or not."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BodyError(f"the body is no UTF-8: {error.reason} (byte {error.start})") from None
    scanner = json.JSONDecoder(parse_int=_integer)
    position = _skip(text, 0)
    while position < len(text):
        try:
            value, position = scanner.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise BodyError(f"JSON is malformed: {error.msg} (character {error.pos})") from None
        yield from value if isinstance(value, list) else (value,)
        position = _skip(text, position)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 40 else float(digits[:300])


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found is not None else position


def _msgpack(body: bytes) -> Iterator[Any]:
    decoder = msgspec.msgpack.Decoder(ext_hook=_extension)
    for start, end in _values(body):
        try:
            value = decoder.decode(memoryview(body)[start:end])
        except (ValueError, TypeError, OverflowError) as error:
            raise BodyError(f"msgpack is malformed: {error}") from None
        if _is_entry(value):
            time, fields = value
            if isinstance(time, list) and time:
                time = time[0]
            yield {"date": time, **fields}
        else:
            yield from value if isinstance(value, list) else (value,)


def _is_entry(value: object) -> bool:
    """Say whether it is `[time, record]`, or `[[time, metadata], record]` as newer versions write it."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[1], dict)
        and not isinstance(value[0], dict)
    )


def _extension(code: int, data: memoryview) -> Any:
    if code == _EVENT_TIME and len(data) == 8:
        return int.from_bytes(data[:4], "big") + int.from_bytes(data[4:], "big") / 1e9
    return None


_SIZED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4}
"""Bytes of the length that follows the mark of a text, of bytes, of an extension."""
_FIXED = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2,
    0xD2: 4, 0xD3: 8, 0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
_COUNTED = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""Arrays and maps: bytes of their count, and values for each."""


def _values(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each value of a stream begins and ends; BodyError where the last one does not."""
    start = position = 0
    wanted = 0
    while position < len(body):
        if not wanted:
            start, wanted = position, 1
        mark = body[position]
        position += 1
        wanted -= 1
        if mark <= 0x7F or mark >= 0xE0 or mark in _FIXED:
            position += _FIXED.get(mark, 0)
        elif mark <= 0x8F:
            wanted += 2 * (mark & 15)
        elif mark <= 0x9F:
            wanted += mark & 15
        elif mark <= 0xBF:
            position += mark & 31
        elif mark in _SIZED:
            size = _SIZED[mark]
            length = int.from_bytes(body[position : position + size], "big")
            position += size + length + (0xC7 <= mark <= 0xC9)
        elif mark in _COUNTED:
            size, each = _COUNTED[mark]
            wanted += each * int.from_bytes(body[position : position + size], "big")
            position += size
        else:
            raise BodyError(f"msgpack is malformed: no value begins with 0x{mark:02x} (byte {position - 1})")
        if not wanted and position <= len(body):
            yield start, position
    if wanted or position > len(body):
        raise BodyError("msgpack is malformed: it ends too early")
