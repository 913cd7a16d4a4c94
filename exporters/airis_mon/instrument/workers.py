"""The totals of several processes in one folder: what a pre-fork server has instead of one process to scrape.

Each process keeps one file, replaced whole; what has ended is added to one common file. So there are as many
files as processes live, and one more, however many have come and gone. Whoever is scraped exposes the sum,
and nothing that is not in a file: a total never goes back. A process that ends leaves everything; one that is
killed leaves what it had a second before.

A lock of the folder orders all that changes it. A lock of its own says that a process lives, however it ends.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)
_DEPARTED = "departed.json"
_FOLDER_LOCK = "folder.lock"
_STATE, _LOCK = ".state", ".lock"
MOST = 10_000
"""Label sets of one family that the ended keep apart; beyond, they are added up as `other`. Models come and
go, and nobody clears the folder away."""
PATIENCE = 5.0
"""Seconds to wait for the folder's lock, which is held for some milliseconds: its holder then hangs."""
State = list[list[Any]]


class Workers:
    """One process' place in the folder; begins with the first `publish`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = ""
        self._lock: int | None = None

    def publish(self, state: State) -> None:
        """Replace what this process has in the folder; OSError where that fails."""
        if self._lock is None:
            self._begin(state)
        else:
            _replace(self._path(_STATE), state)

    def _begin(self, state: State) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._name = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        with self._ordered():
            self._lock = os.open(self._path(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _replace(self._path(_STATE), state)
            # Here as well: workers may be killed and begun again without anybody scraping.
            self._fold_ended()

    def others(self) -> Iterator[State]:
        """Yield what the other processes have, and what the ended ones have left."""
        with self._ordered():
            self._fold_ended()
            states = [_read(path) for path in self._folder.glob(f"*{_STATE}") if path.stem != self._name]
            departed = _read(self._folder / _DEPARTED)
        yield departed[1] if departed else []
        yield from (state for state in states if state)

    def leave(self, state: State) -> None:
        """Add this process' totals to those of the ended ones, and its files go."""
        if self._lock is None:
            # It ends before its first look at the clock.
            self._begin(state)
        with self._ordered():
            _replace(self._path(_STATE), state)
            self._fold([self._name])
        self.forget()

    def forget(self) -> None:
        """Let go of the lock; in a child, as its parent's must not outlive the parent here."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def _path(self, suffix: str) -> Path:
        return self._folder / f"{self._name}{suffix}"

    @contextmanager
    def _ordered(self) -> Iterator[None]:
        handle = os.open(self._folder / _FOLDER_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _wait_for(handle, self._folder / _FOLDER_LOCK)
            yield
        finally:
            os.close(handle)

    def _fold_ended(self) -> None:
        ended = [path.stem for path in self._folder.glob(f"*{_LOCK}") if self._has_ended(path)]
        if ended:
            self._fold(ended)

    def _has_ended(self, path: Path) -> bool:
        if path.stem == self._name or path.name == _FOLDER_LOCK:
            return False
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def _fold(self, names: list[str]) -> None:
        """Add states to those of the ended; ends before it is done, it does nothing twice when done again."""
        kept = _read(self._folder / _DEPARTED) or [[], []]
        known, departed = set(kept[0]), kept[1]
        fresh = [name for name in names if name not in known]
        states = [_read(self._folder / f"{name}{_STATE}") or [] for name in fresh]
        there = {path.stem for path in self._folder.glob(f"*{_STATE}")}
        _replace(self._folder / _DEPARTED, [sorted({*known, *fresh} & there), _sum([departed, *states])])
        for name in names:
            for file in (f".{name}{_STATE}.new", f"{name}{_STATE}", f"{name}{_LOCK}"):
                with suppress(FileNotFoundError):
                    (self._folder / file).unlink()


def _sum(states: Iterable[State]) -> State:
    """Return the sum; histograms whose boundaries differ stay apart."""
    found: dict[tuple[Any, ...], Any] = {}
    sizes: dict[str, int] = {}
    for name, labels, value in (entry for state in states for entry in state):
        histogram = isinstance(value, list)
        bounds = tuple(value[0]) if histogram else ()
        key = (name, tuple(labels), bounds)
        if key not in found and sizes.get(name, 0) >= MOST:
            key = (name, ("other",) * len(labels), bounds)
        before = found.get(key)
        if before is None:
            sizes[name] = sizes.get(name, 0) + 1
            found[key] = value
        elif histogram:
            counts = [one + other for one, other in zip(before[1], value[1], strict=True)]
            found[key] = [before[0], counts, before[2] + value[2]]
        else:
            found[key] = before + value
    return [[name, list(labels), value] for (name, labels, _), value in found.items()]


def _wait_for(handle: int, path: Path) -> None:
    """Take the lock; a process that was stopped while it held it must not hang all others."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise TimeoutError(f"{path} is held by a process that hangs; end that process") from None
            time.sleep(0.002)
        else:
            return


def _replace(path: Path, content: object) -> None:
    # Each file has one writer at a time, so what a kill leaves behind is overwritten, or goes with its state.
    partial = path.with_name(f".{path.name}.new")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(path)


def _read(path: Path) -> Any:
    """Return what a file holds; None where it is gone, or is none of ours."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        _LOG.warning("%s is not understood, and left out", path)
        return None
