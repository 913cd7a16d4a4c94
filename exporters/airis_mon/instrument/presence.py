"""One process among several: publishes its totals now and then, and exposes those of all."""

from __future__ import annotations

import atexit
import logging
import multiprocessing.util
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from airis_mon.instrument.families import Family
from airis_mon.instrument.totals import Totals
from airis_mon.instrument.workers import State, Workers

_LOG = logging.getLogger(__name__)
SECONDS = 1.0
"""Between two looks at whether there is something new; what a process that is killed may take along."""


class Presence:
    """Keeps one process' file up to date, from a thread of its own."""

    def __init__(
        self,
        folder: Path,
        families: tuple[Family, ...],
        totals: Callable[[], Callable[[], Totals] | None],
    ) -> None:
        """Take the families that any process may have, and a weak method that returns a copy of totals."""
        self._shared = Workers(folder)
        self._families = families
        self._totals = totals
        self._lock = threading.Lock()
        self._published: State | None = None
        self._left = False
        self._ended = threading.Event()
        held = weakref.ref(self)

        def leave() -> None:
            found = held()
            if found is not None:
                found.leave()

        atexit.register(leave)
        # A child of multiprocessing ends without atexit: by these, of which it forgets its parent's.
        multiprocessing.util.Finalize(self, leave, exitpriority=0)
        multiprocessing.util.register_after_fork(
            self, lambda made: multiprocessing.util.Finalize(made, leave, exitpriority=0)
        )
        self._start()

    def _start(self) -> None:
        self._ended.clear()
        held = weakref.ref(self)
        ended = self._ended

        def run() -> None:
            while not ended.wait(SECONDS):
                found = held()
                if found is None:
                    return
                found.publish()
                del found

        threading.Thread(target=run, name="airis-mon totals", daemon=True).start()

    def publish(self) -> None:
        """Bring the file up to date."""
        totals = self._totals()
        if totals is None:
            return
        with self._lock:
            # Read inside of the lock: nothing older may replace what another thread has exposed.
            self._publish(totals().state())

    def _publish(self, state: State) -> None:
        if self._left or state == self._published:
            return
        try:
            self._shared.publish(state)
        except OSError as error:
            # Once each time it changes: a full disk must not break an application, nor fill its log.
            _LOG.warning("totals not published: %s", error)
        else:
            self._published = state

    def all(self) -> Totals:
        """Return the totals of all processes, this one's published on the way."""
        totals = self._totals()
        assert totals is not None
        with self._lock:
            own = totals()
            self._publish(own.state())
            summed = Totals()
            for family in self._families:
                summed.declare(family)
            if not self._left:
                summed.add(self._published or [])
            try:
                for state in self._shared.others():
                    summed.add(state)
            except OSError as error:
                # Half of the processes would look like a reset of them all.
                raise RuntimeError(f"the totals of the other processes cannot be read: {error}") from error
            summed.take_exemplars(own)
            return summed

    def leave(self) -> None:
        """Leave this process' totals to the others, as it ends."""
        totals = self._totals()
        if totals is None or self._ended.is_set():
            return
        self._ended.set()
        try:
            with self._lock:
                self._shared.leave(totals().state())
                # A thread may be scraped yet, and must not tell of these twice.
                self._left = True
        except OSError as error:
            _LOG.warning("totals not left behind: %s", error)

    def freeze(self) -> None:
        """Wait for what is under way: a child forked in its midst would keep the folder's lock."""
        self._lock.acquire()

    def thaw(self) -> None:
        """Go on after a fork."""
        self._lock.release()

    def forget(self) -> None:
        """Begin anew in a child."""
        self._lock = threading.Lock()
        self._published = None
        self._left = False
        self._shared.forget()
        self._ended = threading.Event()
        self._start()
