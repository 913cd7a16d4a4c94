"""What the tests of both specifications share: a writer, and requests as they went over the wire."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cramjam

from airis_mon.remote_write import Asked, Backoff, Delivery, HttpWriter, Metadata, Sample, WriteResult
from tests.remote_write.receiver import Receiver, Reply, Request, receiver
from tests.remote_write.wire import fields

Answer = Callable[[Request], Reply]
NOW = 1_700_000_000_000


def sample(value: float = 1.0, at: int = NOW, name: str = "yhat", **labels: str) -> Sample:
    return Sample({"__name__": name, **labels}, at, value)


def labelled(labels: Mapping[str, str], at: int = NOW) -> Sample:
    return Sample({"__name__": "yhat", **labels}, at, 1.0)


class Sender:
    """A writer to a receiver that answers as a test says; time passes in its waits alone."""

    def __init__(self, version: Asked, metadata: dict[str, Metadata] | None = None) -> None:
        self.version = version
        self.metadata = metadata or {}
        self.waits: list[float] = []
        self.seconds = 0.0

    def send(
        self, *writes: Iterable[Sample], answer: Answer = lambda request: Reply(), **more: Any
    ) -> tuple[Receiver, WriteResult]:
        """Write each of `writes`; the receiver with its requests, and the results together."""
        total = WriteResult()
        with receiver(answer) as there:
            delivery = Delivery(there.url, version=self.version, metadata=self.metadata, **more)
            writer = HttpWriter(
                delivery,
                backoff=Backoff(first=1.0, longest=8.0),
                clock=lambda: self.seconds,
                now=lambda: NOW / 1000,
                sleep=self._sleep,
                chance=random.Random(1),
            )
            for samples in writes:
                total += writer.write(samples)
            writer.close()
        return there, total

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


def plain(request: Request) -> bytes:
    """The message, decompressed as a block: a framed stream would not decompress so."""
    return bytes(cramjam.snappy.decompress_raw(request.body))


def numbers(message: bytes) -> set[int]:
    """Field numbers of a message."""
    return {number for number, _ in fields(message)}


def series_numbers(message: bytes, field: int) -> list[set[int]]:
    """Field numbers of each message in a field."""
    return [numbers(raw) for number, raw in fields(message) if number == field and isinstance(raw, bytes)]
