"""Log files read as they grow: each line counts once, across rotation, kill and restart.

How far a file was read is a series of its own, changed by the same record of the journal that holds what the
lines came to: either both are on the disk or neither. After a restart reading goes on where that series says.

- Renamed and made anew: the old file stays open until its end was read; nothing is lost or doubled.
- Truncated in place (`copytruncate`): best effort. What was written between the copy and the truncation is
  lost by whoever copies, and the copy must not be matched by the glob, or its lines count again.
- Rotated while the sidecar is down: the old file is found by its inode in the same folder.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable

import msgspec
from prometheus_client import CollectorRegistry, Gauge

from airis_mon.exporters import series
from airis_mon.journal import JournalError
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.intake import Intake, Refusal
from airis_mon.sidecar.items import LIMIT, MALFORMED, ItemError
from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.configuration import TailedFiles
from airis_mon.sidecar.logs.files import LONGEST_LINE, OpenFile, Place, found, opened, status_of
from airis_mon.sidecar.logs.record import LogRecord
from airis_mon.sidecar.observation import LOG_RECORD
from airis_mon.sidecar.series import Family
from airis_mon.sidecar.translation import Change, Removal, Total

_LOG = logging.getLogger(__name__)
POSITION = Family(series.LOG_POSITION, "gauge", "How far a tailed file was read.")
POLL_SECONDS = 0.5
QUIET_LOOKS = 4
"""Looks without anything new after which a file that was renamed away is at its end."""
_ALWAYS = 0.0
"""Timestamp of every position: the latest one counts, whatever the clock does."""
MOST_LINES = 2_000
"""Lines that are taken at once: others have their turn between."""


class Tailing:
    """Reads the files of a configuration. Belongs to the event loop."""

    def __init__(
        self,
        capture: Capture,
        intake: Intake,
        aggregates: Aggregates,
        registry: CollectorRegistry,
        now: Callable[[], float],
    ) -> None:
        self._capture = capture
        self._intake = intake
        self._aggregates = aggregates
        self._now = now
        self._declared: tuple[TailedFiles, ...] = ()
        self._files: dict[tuple[int, int], tuple[OpenFile, TailedFiles]] = {}
        Gauge(series.SIDECAR_LOG_LAG, "Bytes of tailed files not yet read.", registry=registry).set_function(
            self._lag
        )
        Gauge(series.SIDECAR_LOG_FILES, "Log files that are open.", registry=registry).set_function(
            lambda: len(self._files)
        )

    def configure(self, declared: Iterable[TailedFiles]) -> None:
        """Read these files from now on."""
        self._declared = tuple(declared)
        for key, (file, of) in list(self._files.items()):
            kept = next((one for one in self._declared if one.path == of.path), None)
            if kept is None:
                file.close()
                del self._files[key]
            else:
                self._files[key] = (file, kept)

    async def run(self, ready: Callable[[], bool]) -> None:
        """Look again and again, until cancelled."""
        while True:
            if ready():
                try:
                    await self.look()
                except JournalError as error:
                    _LOG.warning("log lines wait", extra={"reason": str(error)})
                except ItemError as error:
                    _LOG.error("log lines wait: no room for a position", extra={"reason": error.message})
                except OSError as error:
                    _LOG.error("log files cannot be read", extra={"reason": error.strerror or str(error)})
            await asyncio.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Let go of all files."""
        for file, _ in self._files.values():
            file.close()
        self._files.clear()

    async def look(self) -> None:
        """Read what is new; JournalError where it could not be kept, and then it is read again."""
        self._discover()
        for key, (file, of) in list(self._files.items()):
            while await self._read(file, of):
                pass
            if file.gone and file.idle >= QUIET_LOOKS:
                await self._forget(file)
                file.close()
                del self._files[key]

    def _discover(self) -> None:
        positions = self._positions()
        for of in self._declared:
            for path in found(of.path):
                self._open(path, of, positions)
            folder = of.path.rpartition("/")[0]
            # What was renamed while nobody looked has another name in the same folder.
            missed = {
                (place.device, place.inode)
                for path, place, _ in positions
                if path.rpartition("/")[0] == folder and (place.device, place.inode) not in self._files
            }
            if missed and os.path.isdir(folder):
                for entry in list(os.scandir(folder)):
                    if status_of(entry.path) in missed:
                        self._open(entry.path, of, positions, known=True)

    def _open(
        self,
        path: str,
        of: TailedFiles,
        positions: list[tuple[str, Place, int]],
        *,
        known: bool = False,
    ) -> None:
        key = status_of(path)
        if key is None or key in self._files:
            return
        file = opened(path)
        if file is None:
            return
        for name, place, offset in positions:
            if file.holds(place, offset):
                # Under the name that it had: where that leads to another file, this one has been rotated.
                file.path, file.place, file.offset = name, place, offset
                break
        else:
            if known:
                # Another file in the inode of one that was read: no business of ours.
                file.close()
                return
        self._files[file.place.device, file.place.inode] = (file, of)

    def _positions(self) -> list[tuple[str, Place, int]]:
        positions = []
        for one in self._aggregates.of(POSITION.name):
            labels = dict(one.labels)
            try:
                place = Place.parsed(labels[series.LOG_FILE])
            except (KeyError, ValueError):
                continue
            positions.append((labels[series.LOG_PATH], place, int(one.value)))  # type: ignore[attr-defined]
        return positions

    async def _read(self, file: OpenFile, of: TailedFiles) -> bool:
        """Take the next lines of a file, and say whether there may be more."""
        size = file.size
        before = file.place
        if size < file.offset or (before.length and file.fingerprint(before.length) != before.digest):
            file.begin_anew()
        if size == file.offset:
            file.idle += 1
            return False
        renamed = status_of(file.path) != (file.place.device, file.place.inode)
        passing = file.passing
        data, end, too_long = file.read(LONGEST_LINE, last=renamed and file.idle >= QUIET_LOOKS)
        if end == file.offset:
            file.idle += 1
            return False
        lines = data.splitlines(keepends=True)
        if len(lines) > MOST_LINES:
            end -= sum(map(len, lines[MOST_LINES:]))
            lines = lines[:MOST_LINES]
        place = file.placed(end)
        try:
            await self._take(file, of, lines, before, place, end, too_long)
        except BaseException:
            file.passing = passing
            raise
        file.place, file.offset, file.idle = place, end, 0
        return True

    async def _take(
        self,
        file: OpenFile,
        of: TailedFiles,
        lines: list[bytes],
        before: Place,
        place: Place,
        end: int,
        too_long: bool,
    ) -> None:
        records: list[tuple[int, LogRecord]] = []
        refusals: list[Refusal] = []
        if too_long:
            error = ItemError("", f"a line of more than {LONGEST_LINE} bytes", LIMIT)
            refusals.append(Refusal(len(lines), error))
        for index, line in enumerate(lines):
            if not line.strip():
                continue
            try:
                records.append((index, self._record(line, of)))
            except ItemError as error:
                refusals.append(Refusal(index, error))
        captured = self._capture.changes(records)
        positions: list[Change] = []
        if before.length and before != place:
            positions.append(Removal(POSITION.name, self._labels(file.path, before)))
        positions.append(Total(POSITION, self._labels(file.path, place), float(end), _ALWAYS))
        await self._intake.take(
            LOG_RECORD,
            captured.changes,
            captured.events,
            [*refusals, *captured.refusals],
            beside=positions,
        )

    def _record(self, line: bytes, of: TailedFiles) -> LogRecord:
        try:
            given = msgspec.json.decode(line)
        except RecursionError:
            raise ItemError("", "JSON is nested too deep", MALFORMED) from None
        except ValueError as error:
            raise ItemError("", f"a line is one JSON object: {error}", MALFORMED) from None
        if not isinstance(given, dict):
            raise ItemError("", f"a line is one JSON object, not {type(given).__name__}", MALFORMED)
        return of.keys.record(given, of.source, self._now())

    async def _forget(self, file: OpenFile) -> None:
        if file.place.length:
            await self._intake.take(
                LOG_RECORD, (), {}, (), beside=[Removal(POSITION.name, self._labels(file.path, file.place))]
            )

    def _labels(self, path: str, place: Place) -> tuple[tuple[str, str], ...]:
        return ((series.LOG_FILE, str(place)), (series.LOG_PATH, path))

    def _lag(self) -> float:
        return float(sum(max(file.size - file.offset, 0) for file, _ in self._files.values()))
