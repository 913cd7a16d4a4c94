"""How much of what comes in is in memory at once: bodies that are being read, and all that wait for the disk.

Without it a thousand connections may each bring eight megabytes. A body counts as it arrives, not as it is
announced: who promises much and sends little keeps nobody out.
"""

from __future__ import annotations

from aiohttp import web


class OverloadedError(Exception):
    """There is no room for another body now; nothing of it counts, and it may be sent again."""


class Admission:
    """Bytes of bodies from their arrival to their answer, and items that wait for the disk.

    Belongs to the event loop.
    """

    def __init__(self, most: int, most_waiting: int) -> None:
        self._most = most
        self._most_waiting = most_waiting
        self.waiting = 0
        """Items that wait for the disk now."""
        self._held: dict[int, int] = {}
        """By the identity of a request, which lives until it is released."""
        self.held = 0
        """Bytes in memory now."""

    def enter(self) -> None:
        """Let a request in before its body is looked at; OverloadedError where too many wait already.

        What is refused has to cost next to nothing: else those that were let in wait for it as well.
        """
        if self.waiting >= self._most_waiting:
            raise OverloadedError(f"{self.waiting} items wait for the disk already; send it again")

    def take(self, request: web.Request, size: int) -> None:
        """Count bytes of a request's body that have arrived; OverloadedError where they are too many."""
        if self.held + size > self._most:
            raise OverloadedError(f"{self.held} bytes of other requests are being worked on; send it again")
        self.held += size
        self._held[id(request)] = self._held.get(id(request), 0) + size

    def release(self, request: web.Request) -> None:
        """Let go of what a request held; it has its answer."""
        self.held -= self._held.pop(id(request), 0)


ADMISSION: web.AppKey[Admission] = web.AppKey("admission", Admission)
