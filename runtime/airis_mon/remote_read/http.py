"""Remote read over HTTP, and handing on what was read."""

from __future__ import annotations

from collections.abc import Sequence

import cramjam
import requests

from airis_mon.http import cause, shown
from airis_mon.remote_read.message import Query, RawSeries, answered, request

LARGEST = 256 << 20
"""Bytes of one answer, unpacked; 15 million samples."""
_COMPRESSED = LARGEST // 2
_WORDS = 300
"""Characters that an error shows of what a server said."""
_HEADERS = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}


class ReadError(Exception):
    """A server that gave no series; the text says which and why."""


class HttpReader:
    """Reads from one server, one request at a time."""

    def __init__(self, url: str, *, timeout: float = 120.0, session: requests.Session | None = None) -> None:
        """Prepare to read from `url`, the server's root; `timeout` is in seconds, for each request."""
        self._url = url.rstrip("/")
        self._shown = shown(self._url)
        self._timeout = timeout
        self._session = session or requests.Session()

    def read(self, queries: Sequence[Query]) -> list[list[RawSeries]]:
        """Return the series of each query, in their order. Raises ReadError."""
        try:
            with self._session.post(
                f"{self._url}/api/v1/read",
                data=bytes(cramjam.snappy.compress_raw(request(queries))),
                headers={**_HEADERS, "X-Prometheus-Remote-Read-Version": "0.1.0"},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code != 200:
                    raise ReadError(self._refusal(response))
                body = _bounded(response)
        except requests.RequestException as error:
            raise ReadError(f"{self._shown} is not reachable: {cause(error)}") from error
        if len(body) > _COMPRESSED or _unpacked_size(body) > LARGEST:
            raise ReadError(
                f"{self._shown} answered with more than {LARGEST >> 20} MiB; ask for less at once"
            )
        try:
            found = list(answered(bytes(cramjam.snappy.decompress_raw(body))))
        except (ValueError, cramjam.DecompressionError) as error:
            raise ReadError(f"{self._shown}/api/v1/read answered with no series: {error}") from error
        if len(found) != len(queries):
            raise ReadError(f"{self._shown}/api/v1/read answered {len(found)} of {len(queries)} queries")
        return found

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _refusal(self, response: requests.Response) -> str:
        words = next(response.iter_content(_WORDS), b"").decode("utf-8", "replace").strip()
        if response.status_code in (404, 405):
            return (
                f"{self._shown} has no remote read (/api/v1/read answered {response.status_code}); "
                "name a Prometheus itself, or the querier of a store that offers it"
            )
        return f"{self._shown}/api/v1/read answered {response.status_code}: {words}"


def hand_on(session: requests.Session, url: str, body: bytes, *, timeout: float = 120.0) -> None:
    """Send a serialised `prometheus.WriteRequest` to the server at `url`. Raises ReadError."""
    try:
        answer = session.post(
            f"{url}/api/v1/write",
            data=bytes(cramjam.snappy.compress_raw(body)),
            headers={**_HEADERS, "X-Prometheus-Remote-Write-Version": "0.1.0"},
            timeout=timeout,
        )
    except requests.RequestException as error:
        raise ReadError(f"{url} is not reachable: {cause(error)}") from error
    if not answer.ok:
        raise ReadError(f"{url}/api/v1/write answered {answer.status_code}: {answer.text[:_WORDS].strip()}")


def _bounded(response: requests.Response) -> bytes:
    body = bytearray()
    for part in response.iter_content(1 << 20):
        body += part
        if len(body) > _COMPRESSED:
            break
    return bytes(body)


def _unpacked_size(body: bytes) -> int:
    """Return the size that a snappy block says that it has: the varint that it begins with."""
    size = 0
    for index, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            break
    return size
