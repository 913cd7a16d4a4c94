"""Samples that were given up, in a file: what it was, and why.

One JSON object a line: `told` (when it was given up, seconds), `labels`, `timestamp_ms`, `value` (a text, as
in Prometheus' API; `stale` ends a series), `reason`, and `doubtful`, true where the receiver has kept a part
of a batch and did not say which. A file that is full is renamed to `NAME.1`, in the place of the one before.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from airis_mon.remote_write.batches import Batch
from airis_mon.remote_write.sample import Refusal, is_stale

Refused = Callable[[Iterable[Refusal]], None]
"""What is told of samples that are given up."""


def unheard(refused: Iterable[Refusal]) -> None:
    """Do nothing about them: they are counted, and explained in the result."""


def untold(_error: str) -> None:
    """Do nothing about a disk that takes none of them, or does again: they are counted."""


def refusals(batch: Batch, reason: str, *, doubtful: bool = False) -> list[Refusal]:
    """Return all samples of a batch as given up."""
    return [Refusal(one.labels, at, value, reason, doubtful) for one in batch for at, value in one.samples]


class DeadLetters:
    """Writes them to a file, whatever happens to the disk."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = 64 * 1024 * 1024,
        now: Callable[[], float] = time.time,
        turned: Callable[[str], None] = untold,
    ) -> None:
        """Prepare: both files together hold at most `max_bytes`.

        `turned` hears what the disk says when it begins to take nothing, and an empty text when it takes some
        again; it is called in the thread that gives samples up.
        """
        self._path = path
        self._room = max(1, max_bytes // 2)
        self._now = now
        self._turned = turned
        self.kept = 0
        """Samples that were written to the file."""
        self.lost = 0
        """Samples that the file could not take."""
        self.error = ""
        """What the disk said last, until it takes some again."""

    def open(self) -> None:
        """Make the file, empty where there is none yet; OSError where it cannot be written to."""
        os.close(self._handle())

    def __call__(self, refused: Iterable[Refusal]) -> None:
        """Append samples; a disk that does not take them is counted, and told by `error`."""
        told = round(self._now(), 3)
        lines = [_line(refusal, told) for refusal in refused]
        while lines:
            # One file's worth at a time, so that no call makes a file that is larger than it may be.
            size = count = 0
            while count < len(lines) and (count == 0 or size + len(lines[count]) <= self._room):
                size += len(lines[count])
                count += 1
            some, lines = lines[:count], lines[count:]
            try:
                self._append(b"".join(some))
            except OSError as error:
                self.lost += count
                before, self.error = self.error, f"{self._path}: {error.strerror or error}"
                if not before:
                    self._turned(self.error)
            else:
                self.kept += count
                before, self.error = self.error, ""
                if before:
                    self._turned("")

    def _append(self, data: bytes) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        if size and size + len(data) > self._room:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        handle = self._handle()
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                # A line that a kill cut off must not take the next one along.
                data = b"\n" + data
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
        finally:
            os.close(handle)

    def _handle(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _line(refusal: Refusal, told: float) -> bytes:
    fields = {
        "told": told,
        "labels": dict(refusal.labels),
        "timestamp_ms": refusal.timestamp_ms,
        "value": _text(refusal.value),
        "reason": refusal.reason,
        "doubtful": refusal.doubtful,
    }
    # Lone surrogates, which are a reason to refuse a label, go as escapes.
    return json.dumps(fields).encode() + b"\n"


def _text(value: float) -> str:
    if math.isnan(value):
        return "stale" if is_stale(value) else "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
