"""Where the analyzer writes, and what becomes of what the receiver does not take now, or ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from airis_mon.analyzer import series
from airis_mon.analyzer.access import Access
from airis_mon.analyzer.metrics import Metrics
from airis_mon.journal import Bounds, Queue
from airis_mon.remote_write import (
    Asked,
    DeadLetters,
    Delivery,
    HttpWriter,
    Metadata,
    QueuedWriter,
    Writer,
    unheard,
    untold,
)

_WRITTEN: Mapping[str, Metadata] = {
    series.ACTUAL: Metadata("gauge", "The input as the analyzer saw it."),
    series.EXPECTED: Metadata("gauge", "What was expected at that horizon."),
    series.LOWER: Metadata("gauge", "Lower edge of the band of what is usual."),
    series.UPPER: Metadata("gauge", "Upper edge of the band of what is usual."),
    series.SCORE: Metadata("gauge", "0 is as expected, 1 and more is anomalous; 0 while warming up."),
}


@dataclass(frozen=True)
class Destination:
    """A receiver of remote write, and what stands before it."""

    url: str
    version: Asked = "auto"
    access: Access | None = None
    """Who we are there; None for nobody in particular."""
    queue_path: Path | None = None
    """Folder of the queue; without one, what cannot be delivered within a cycle is given up."""
    bounds: Bounds = Bounds()  # noqa: RUF009  a frozen value
    dead_letter_path: Path | None = None
    """File for what was given up; without one it is counted and logged."""
    dead_letter_bytes: int = 64 * 1024 * 1024

    def delivery(self) -> Delivery:
        """Return the way to the receiver. All that is written are gauges."""
        return Delivery(
            self.url,
            version=self.version,
            headers=None if self.access is None else self.access.headers,
            session=None if self.access is None else self.access.session(),
            metadata=_WRITTEN,
            otherwise=Metadata("gauge"),
        )

    def of_worker(self, index: int, count: int) -> Destination:
        """Return what one of several workers has of it: queue and file of its own, its part of the room."""
        name = f"worker-{index}-of-{count}"
        queue, letters = self.queue_path, self.dead_letter_path
        return replace(
            self,
            queue_path=None if queue is None else queue / name,
            bounds=replace(self.bounds, bytes=self.bounds.bytes // count),
            dead_letter_path=None
            if letters is None
            else letters.with_name(f"{letters.stem}.{name}{letters.suffix}"),
            dead_letter_bytes=self.dead_letter_bytes // count,
        )

    def opened(
        self,
        stopping: threading.Event,
        metrics: Metrics,
        ends: ExitStack,
        turned: Callable[[str], None] = untold,
        *,
        held: bool = False,
    ) -> Writer:
        """Return the writer of a process, which `ends` closes; `held`: what is queued waits to be released.

        `turned` hears when the file of what is given up cannot be written any more, and when it can again.
        JournalError where the queue's folder is another process', or cannot be used.
        """
        letters = None
        if self.dead_letter_path is not None:
            letters = DeadLetters(self.dead_letter_path, max_bytes=self.dead_letter_bytes, turned=turned)
            metrics.dead_letters(letters)
        refused = letters or unheard
        if self.queue_path is None:
            direct = HttpWriter(self.delivery(), sleep=stopping.wait, refused=refused)
            ends.callback(direct.close)
            return direct
        queue = Queue(self.queue_path, self.bounds)
        writer = QueuedWriter(self.delivery(), queue, refused=refused, held=held)
        writer.open()
        writer.start()
        ends.callback(writer.close)
        metrics.queue(writer.backlog)
        return writer
