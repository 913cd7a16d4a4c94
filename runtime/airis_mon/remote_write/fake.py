"""A writer that remembers, for tests of what writes. It refuses what the real one refuses."""

from __future__ import annotations

from collections.abc import Iterable

from airis_mon.remote_write.sample import Sample, fault
from airis_mon.remote_write.writer import WriteResult


class MemoryWriter:
    """Keeps every sample that is fit to be sent."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.closed = False

    def write(self, samples: Iterable[Sample]) -> WriteResult:
        """Remember the samples."""
        errors: list[str] = []
        sent = 0
        for sample in samples:
            reason = fault(sample)
            if reason is None:
                self.samples.append(sample)
                sent += 1
            else:
                errors.append(reason)
        return WriteResult(sent, len(errors), tuple(errors))

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
