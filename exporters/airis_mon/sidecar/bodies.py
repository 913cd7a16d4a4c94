"""The bytes of a request: read in time, unpacked within bounds."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import cramjam
from aiohttp import hdrs, web

from airis_mon.sidecar.admission import ADMISSION
from airis_mon.sidecar.limits import Limits

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MOST = 1032
"""Bytes that one byte of deflate can come to."""


class RequestError(Exception):
    """A request of which nothing counts; `status` is what it is answered with."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


Codings = Mapping[str, Callable[[bytes, int], bytes]]
"""What unpacks a body within so many bytes, by `Content-Encoding`."""


async def body(request: web.Request, limits: Limits, codings: Codings | None = None) -> bytes:
    """Return a request's body, unpacked; RequestError with 400, 408, 413 or 415, OverloadedError.

    One `Content-Encoding` is understood, gzip or zstd where `codings` does not say otherwise. The limit on
    bodies is that on their unpacked size, and what would be longer is given up at that point: a bomb costs no
    more than a large honest body.
    """
    known = _UNPACK if codings is None else codings
    coding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if coding not in known:
        raise RequestError(
            415,
            f"Content-Encoding `{_printable(coding)}` is not understood; send the body "
            f"{'as it is, or ' if 'identity' in known else ''}as one of {', '.join(sorted(known))}",
        )
    request.app[ADMISSION].enter()
    if request.content.is_eof():
        # It came along with its headers, as small ones do: there is nothing to wait for.
        packed = request.content.read_nowait()
        request.app[ADMISSION].take(request, len(packed))
    else:
        try:
            async with asyncio.timeout(limits.body_seconds):
                packed = await _arriving(request, limits.body_bytes)
        except TimeoutError:
            raise RequestError(408, f"the body did not arrive within {limits.body_seconds:g} s") from None
    return known[coding](packed, limits.body_bytes)


async def _arriving(request: web.Request, limit: int) -> bytes:
    admission = request.app[ADMISSION]
    chunks: list[bytes] = []
    size = 0
    while chunk := await request.content.readany():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        admission.take(request, len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def _as_it_is(packed: bytes, limit: int) -> bytes:
    if len(packed) > limit:
        raise _too_large(limit)
    return packed


def _gzip(packed: bytes, limit: int) -> bytes:
    if len(packed) * _GZIP_MOST > limit and _overflows(packed, limit):
        raise _too_large(limit)
    unpacking = zlib.decompressobj(_GZIP)
    try:
        data = unpacking.decompress(packed, limit + 1)
    except zlib.error as error:
        raise RequestError(400, f"the body is no gzip: {error}") from None
    if len(data) > limit:
        raise _too_large(limit)
    if not unpacking.eof:
        raise RequestError(400, "the body is no gzip: it ends too early")
    if unpacking.unused_data:
        raise RequestError(400, "the body is one gzip and more; send one alone")
    return data


def _overflows(packed: bytes, limit: int) -> bool:
    """Say whether gzip unpacks to more: a bomb is found out in a tenth of the time that zlib would take."""
    try:
        return cramjam.gzip.decompress_into(packed, bytearray(limit + 1)) > limit
    except cramjam.DecompressionError as error:
        # What else is wrong with it, zlib says.
        return "whole buffer" in str(error)


def _zstd(packed: bytes, limit: int) -> bytes:
    room = bytearray(limit + 1)
    try:
        size = cramjam.zstd.decompress_into(packed, room)
    except cramjam.DecompressionError as error:
        # The library says so where its output has no room left.
        if "whole buffer" in str(error):
            raise _too_large(limit) from None
        raise RequestError(400, f"the body is no zstd: {error}") from None
    if size > limit:
        raise _too_large(limit)
    return bytes(memoryview(room)[:size])


def _snappy(packed: bytes, limit: int) -> bytes:
    try:
        # The block says its length at its beginning: nothing is unpacked of one that says too much.
        if cramjam.snappy.decompress_raw_len(packed) > limit:
            raise _too_large(limit)
        return bytes(cramjam.snappy.decompress_raw(packed))
    except cramjam.DecompressionError as error:
        raise RequestError(400, f"the body is no snappy block: {error}") from None


SNAPPY: Codings = MappingProxyType({"snappy": _snappy})
"""The block format, which remote write is packed in."""

_UNPACK: Codings = MappingProxyType({"identity": _as_it_is, "gzip": _gzip, "zstd": _zstd})


def _too_large(limit: int) -> RequestError:
    return RequestError(413, f"the body unpacks to more than {limit} bytes; send smaller batches")


def _printable(text: str) -> str:
    return text[:100].encode("utf-8", "backslashreplace").decode()
