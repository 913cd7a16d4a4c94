"""Until when each query was judged, kept on disk: a restart knows what was missed, and judges nothing twice.

One small file for each process that shares the folder, replaced after each cycle. A query is found in it by
what tells it from others, whichever process had it then: the newest time in any file counts.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.schedule import HISTORY, moment
from airis_mon.analyzer.shards import Shard, place

_SUFFIX = ".judged.json"
_BYTES_MAX = 4 << 20
"""Of one file; ten thousand queries take 200 KiB."""
_AHEAD = 3600
"""Seconds that a time may be ahead of the server's clock; beyond it one of the two was wrong."""
_FORGOTTEN = HISTORY
"""Seconds after which nobody asks any more what was missed."""


class Judged:
    """Keeps the times of one process' queries, and reads those of all."""

    def __init__(
        self,
        folder: Path,
        shard: Shard,
        told: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep a file named after `shard` in `folder`, which is there; `told` hears what is wrong."""
        self._folder = folder
        self._file = folder / f"{shard.index}-of-{shard.count}{_SUFFIX}"
        self._told = told
        self._clock = clock
        self._times: dict[Query, int] = {}
        self._failed = False

    def load(self, queries: Iterable[Query], at: int) -> Mapping[Query, int]:
        """Return until when queries had been judged, of those that somebody judged within four weeks."""
        found: dict[int, int] = {}
        for file in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                if self._clock() - file.stat().st_mtime > _FORGOTTEN:
                    file.unlink()
                    continue
                for where, when in _read(file).items():
                    found[where] = max(when, found.get(where, when))
            except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
                self._told(f"{file.name} is not used: {error}")
        known = {query: found[place(query)] for query in queries if place(query) in found}
        ahead = max(known.values(), default=at)
        if ahead - at > _AHEAD:
            self._told(f"the server's clock is before {moment(ahead)}, until when was judged: it is believed")
        self._times = {query: when for query, when in known.items() if at - _FORGOTTEN <= when <= at + _AHEAD}
        return dict(self._times)

    def save(self, queries: Iterable[Query], judged: Iterable[Query], at: int) -> None:
        """Keep that some of all queries were judged at a time; a disk that does not take it is told once."""
        self._times |= dict.fromkeys(judged, at)
        self._times = {query: self._times[query] for query in queries if query in self._times}
        places: dict[int, list[str]] = {}
        for query, when in self._times.items():
            places.setdefault(when, []).append(f"{place(query):016x}")
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            # Not synced: after a power cut it may be gone, and the time is judged again to the same bits.
            beside.write_text(json.dumps({"judged": places}))
            beside.replace(self._file)
        except OSError as error:
            if not self._failed:
                self._told(f"{self._file.name} was not written: {error}")
            self._failed = True
        else:
            self._failed = False


def _read(file: Path) -> dict[int, int]:
    """Return place and time of each query; an error of many kinds for what we did not write."""
    with file.open("rb") as opened:
        text = opened.read(_BYTES_MAX + 1)
    if len(text) > _BYTES_MAX:
        raise ValueError("it is too large")
    judged = json.loads(text)["judged"]
    return {int(where, 16): int(when) for when, places in judged.items() for where in places}
