"""One trace that goes through the past and on into the present."""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.traces import Operation


class Arrivals:
    """The requests of one service, taken in turn: first by the simulation of its past, then by live load."""

    def __init__(self, requests: Iterator[Operation]) -> None:
        """Take `requests` that never end, sorted by time (seconds since the epoch)."""
        self._requests = requests
        self._next = next(requests)

    def until(self, moment: float) -> Iterator[Operation]:
        """Yield, and use up, the requests that arrive by `moment`."""
        while self._next.at <= moment:
            present = self._next
            self._next = next(self._requests)
            yield present

    def take(self) -> Operation:
        """Return, and use up, the next request, whenever it arrives."""
        present = self._next
        self._next = next(self._requests)
        return present
