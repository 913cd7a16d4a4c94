"""The framing that segments and snapshots share.

A file begins with `AIRISJNL`, the format (u32), a salt (u32) and their CRC (u32); the salt stands in the
file's name as well, so that no single damaged byte takes all records along. Frames follow, numbers
little-endian:

    magic u16 | kind u8 | 0 u8 | length u32 | body CRC u32 | sequence u64 | epoch u64 | number u64
    | producer length u16 | 0 u16 | header CRC u32 | producer (UTF-8) | payload

`length` is that of producer and payload; `epoch` and `number` are the origin's. The header has a CRC of its
own, so that a damaged payload leaves the way to the next frame. That CRC starts from the file's salt: a
payload that contains the bytes of a frame is never taken for one when the reader has to look for the next.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from airis_mon.journal.errors import JournalVersionError
from airis_mon.journal.origins import Origin

FORMAT = 1
RECORD, WINDOWS, CHUNK, END, FAILED, CONSUMED = 1, 2, 3, 4, 5, 6
"""Kinds of frames; the middle three stand in snapshots, FAILED at a segment's begin, CONSUMED in queues."""

_MAGIC = 0xA15E
_MAGIC_BYTES = struct.pack("<H", _MAGIC)
_FILE = struct.Struct("<8sIII")
_HEAD = struct.Struct("<HBxIIQQQHxx")
_CRC = struct.Struct("<I")
FILE_BYTES = _FILE.size
HEAD_BYTES = _HEAD.size + _CRC.size
_FILE_MAGIC = b"AIRISJNL"


@dataclass(frozen=True, slots=True)
class Record:
    """One appended payload."""

    sequence: int
    """From 1, ascending, with gaps where an append failed."""
    payload: bytes
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that is whole."""

    kind: int
    record: Record
    end: int
    """Byte offset behind it."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no whole frame."""

    start: int
    end: int


def file_header(salt: int) -> bytes:
    """Return the first bytes of a file."""
    begin = _FILE.pack(_FILE_MAGIC, FORMAT, salt, 0)[:-4]
    return begin + _CRC.pack(zlib.crc32(begin))


def whole_header(data: bytes, name: str) -> bool:
    """Say whether a file's header is undamaged; JournalVersionError for one of another format."""
    if len(data) < FILE_BYTES:
        return False
    magic, version, _, crc = _FILE.unpack_from(data)
    if magic != _FILE_MAGIC or zlib.crc32(data[: FILE_BYTES - 4]) != crc:
        return False
    if version != FORMAT:
        raise JournalVersionError(
            f"{name} has format {version}, this version reads format {FORMAT}; "
            f"start the version that wrote it"
        )
    return True


def encode(kind: int, sequence: int, payload: bytes, origin: Origin | None, salt: int) -> tuple[bytes, bytes]:
    """Return a frame as two parts: header with producer, and the payload as it came."""
    producer = origin.producer.encode() if origin is not None else b""
    head = _HEAD.pack(
        _MAGIC,
        kind,
        len(producer) + len(payload),
        zlib.crc32(payload, zlib.crc32(producer)),
        sequence,
        origin.epoch if origin is not None else 0,
        origin.sequence if origin is not None else 0,
        len(producer),
    )
    return head + _CRC.pack(zlib.crc32(head, salt)) + producer, payload


def frames(data: bytes, salt: int) -> Iterator[Frame | Damage]:
    """Yield what a file holds behind its header, in order; adjoining damage as one."""
    position, size = FILE_BYTES, len(data)
    while position < size:
        head = _head(data, position, salt)
        if head is None:
            following = _next(data, position + 1, salt)
            yield Damage(position, following)
            position = following
            continue
        kind, length, body_crc, sequence, epoch, number, producer_bytes = head
        start = position + HEAD_BYTES
        end = start + length
        if end > size:
            yield Damage(position, size)
            return
        body = data[start:end]
        if zlib.crc32(body) != body_crc or producer_bytes > length:
            yield Damage(position, end)
        else:
            producer = body[:producer_bytes].decode()
            origin = Origin(producer, epoch, number) if producer else None
            yield Frame(kind, Record(sequence, body[producer_bytes:], origin), end)
        position = end


def _head(data: bytes, position: int, salt: int) -> tuple[int, int, int, int, int, int, int] | None:
    if position + HEAD_BYTES > len(data) or data[position : position + 2] != _MAGIC_BYTES:
        return None
    (crc,) = _CRC.unpack_from(data, position + _HEAD.size)
    if zlib.crc32(data[position : position + _HEAD.size], salt) != crc:
        return None
    _, kind, length, body_crc, sequence, epoch, number, producer_bytes = _HEAD.unpack_from(data, position)
    return kind, length, body_crc, sequence, epoch, number, producer_bytes


def _next(data: bytes, position: int, salt: int) -> int:
    """Return where the next whole header is, or the end."""
    while (position := data.find(_MAGIC_BYTES, position)) >= 0:
        if _head(data, position, salt) is not None:
            return position
        position += 1
    return len(data)
