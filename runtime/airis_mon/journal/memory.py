"""The journal of a process that keeps nothing on disk."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable

from airis_mon.journal.journal import Receipt, Recovery
from airis_mon.journal.origins import Origin, Origins


class MemoryJournal:
    """Knows batches sent twice, and forgets everything with the process."""

    durable = False
    usable = True
    bytes_since_snapshot = 0
    pending_bytes = 0

    def __init__(self, origins: int = 10_000) -> None:
        self._origins = Origins(origins)
        self.sequence = 0

    def recover(self) -> Recovery:
        """Return that there is nothing."""
        return Recovery(iter(()), iter(()))

    async def start(self) -> None:
        """Do nothing."""

    async def append(
        self,
        payload: bytes,
        origin: Origin | None = None,
        applied: Callable[[int], None] | None = None,
    ) -> Receipt:
        """Apply at once, unless this origin was here before."""
        if origin is not None:
            if self._origins.known(origin):
                return Receipt(0, duplicate=True)
            self._origins.add(origin)
        self.sequence += 1
        if applied is not None:
            applied(self.sequence)
        return Receipt(self.sequence, duplicate=False)

    async def snapshot(self, chunks: AsyncIterable[bytes], keep_from: int | None = None) -> None:
        """Do nothing: there is nothing to come back to."""

    async def close(self) -> None:
        """Do nothing."""
