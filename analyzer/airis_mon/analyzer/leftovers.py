"""Queues of processes that are no longer there: what is in them goes first, whoever writes its series now.

Each worker has a queue of its own below the folder that the flag names, and a single process has the folder
itself. Where their number changes, series move between them. What was queued before is delivered by the
process that was started, and until that is done the new ones keep in their queues what they write: no series
gets an older value behind a newer one, and nothing that was queued is lost.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from airis_mon.analyzer.writing import Destination
from airis_mon.journal import Queue
from airis_mon.remote_write import DeadLetters, QueuedWriter, WriteResult, unheard

_PAUSE = 1.0
"""Seconds between two attempts, which wait for longer where the receiver does not take anything."""
_WORKER = re.compile(r"worker-\d+-of-(\d+)")
_FILES = ("*.segment", "lock")


class Leftovers:
    """What earlier processes have queued and is not delivered yet."""

    def __init__(
        self,
        destination: Destination,
        workers: int,
        told: Callable[[WriteResult], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the folders that are none of so many workers' (1: of the process itself).

        `told` hears what becomes of what is in them. JournalError where another process has one of them.
        """
        self._told = told
        self._clock = clock
        self._found: list[tuple[Path, QueuedWriter]] = []
        self._destination = destination
        if destination.queue_path is None or not destination.queue_path.is_dir():
            return
        groups: dict[int, list[tuple[Path, QueuedWriter]]] = {}
        for folder, group in _left(destination.queue_path, workers):
            writer = self._opened(folder)
            if writer.backlog().samples:
                groups.setdefault(group, []).append((folder, writer))
            else:
                _removed(folder, writer)
        # What was queued by earlier generations goes first, since later ones may have the same series.
        eldest = sorted(groups.values(), key=lambda one: -max(w.backlog().seconds for _, w in one))
        self._found = [each for group in eldest for each in group]

    def __bool__(self) -> bool:
        """Tell whether anything is left."""
        return bool(self._found)

    @property
    def samples(self) -> int:
        """How many samples wait."""
        return sum(writer.backlog().samples for _, writer in self._found)

    def run(self, stop: threading.Event, release: Callable[[], None]) -> None:
        """Deliver all of it until `stop` is set, remove the folders, and call `release` when that is done.

        It is called before, where a receiver has answered 500 for minutes: Prometheus before 2.50 answers so
        to what is too old for it, for ever, and what is new must not wait for that.
        """
        waiting = True
        while self._found and not stop.is_set():
            folder, writer = self._found[0]
            self._told(writer.write(()))
            if not writer.backlog().samples:
                _removed(folder, writer)
                del self._found[0]
                continue
            if waiting and writer.stuck:
                waiting = False
                release()
            stop.wait(_PAUSE)
        if waiting and not self._found:
            release()

    def close(self) -> None:
        """Give the folders back; what is in them stays."""
        for _, writer in self._found:
            writer.close()

    def _opened(self, folder: Path) -> QueuedWriter:
        letters, room = self._destination.dead_letter_path, self._destination.dead_letter_bytes
        refused = unheard if letters is None else DeadLetters(letters, max_bytes=room)
        queue = Queue(folder, self._destination.bounds)
        writer = QueuedWriter(self._destination.delivery(), queue, refused=refused, clock=self._clock)
        writer.open()
        return writer


def _left(path: Path, workers: int) -> list[tuple[Path, int]]:
    """Return folders of other numbers of workers, and which number that is."""
    found = [(path, 1)] if workers > 1 and any(path.glob(_FILES[0])) else []
    for folder in sorted(path.glob("worker-*")):
        named = _WORKER.fullmatch(folder.name)
        if named is not None and folder.is_dir() and (workers == 1 or int(named[1]) != workers):
            found.append((folder, int(named[1])))
    return found


def _removed(folder: Path, writer: QueuedWriter) -> None:
    writer.close()
    for pattern in _FILES:
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)
    if _WORKER.fullmatch(folder.name):
        with contextlib.suppress(OSError):  # somebody keeps files of their own there
            folder.rmdir()
