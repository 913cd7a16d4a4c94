"""Snapshot files: what all records up to a sequence add up to, and the windows of all senders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from airis_mon.journal.files import File, Files
from airis_mon.journal.origins import Origins
from airis_mon.journal.records import CHUNK, END, WINDOWS, Damage, encode, file_header, frames, whole_header

_NAME = re.compile(r"(?P<sequence>\d{20})-(?P<salt>[0-9a-f]{8})\.snapshot")
_WINDOWS_PER_FRAME = 1_000
KEPT = 2
"""Snapshots that are kept: the older is there for the day when the newer is damaged."""


@dataclass(frozen=True, slots=True, order=True)
class Snapshot:
    """A snapshot by its name."""

    sequence: int
    """Every record up to this one is contained; of later ones some may be."""
    salt: int
    path: Path

    def read(self) -> tuple[list[tuple[str, int, int, str]], list[bytes]] | None:
        """Return windows and chunks, None where any is damaged; JournalVersionError for a later format."""
        data = self.path.read_bytes()
        if not whole_header(data, self.path.name):
            return None
        windows: list[tuple[str, int, int, str]] = []
        chunks: list[bytes] = []
        ended = False
        for item in frames(data, self.salt):
            if isinstance(item, Damage) or ended:
                return None
            if item.kind == WINDOWS:
                windows.extend(tuple(window) for window in json.loads(item.record.payload))
            elif item.kind == CHUNK:
                chunks.append(item.record.payload)
            elif item.kind == END:
                ended = item.record.payload == str(len(chunks)).encode()
        return (windows, chunks) if ended else None


def snapshots(folder: Path) -> list[Snapshot]:
    """Return the snapshots of a folder, oldest first."""
    matches = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted(
        Snapshot(int(match["sequence"]), int(match["salt"], 16), path) for match, path in matches if match
    )


class SnapshotWriter:
    """Writes one snapshot beside the others; it takes its name when it is whole."""

    def __init__(self, folder: Path, files: Files, sequence: int, salt: int) -> None:
        self._files = files
        self._sequence = sequence
        self._salt = salt
        self._target = folder / f"{sequence:020d}-{salt:08x}.snapshot"
        self._partial = self._target.with_suffix(".partial")
        self._chunks = 0
        self._file: File = files.create(self._partial)
        self._file.write([file_header(salt)])

    def windows(self, saved: list[tuple[str, int, int, str]]) -> None:
        """Write what `Origins.saved` gave."""
        for first in range(0, len(saved), _WINDOWS_PER_FRAME):
            self._frame(WINDOWS, json.dumps(saved[first : first + _WINDOWS_PER_FRAME]).encode())

    def chunk(self, payload: bytes) -> None:
        """Write one chunk of the owner's state."""
        self._frame(CHUNK, payload)
        self._chunks += 1

    def finish(self) -> None:
        """Make it durable and give it its name."""
        self._frame(END, str(self._chunks).encode())
        self._file.sync()
        self._file.close()
        self._files.rename(self._partial, self._target)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _frame(self, kind: int, payload: bytes) -> None:
        self._file.write(encode(kind, self._sequence, payload, None, self._salt))


def newest(folder: Path, origins: Origins) -> tuple[int, Iterator[bytes]]:
    """Return sequence and chunks of the newest undamaged snapshot, 0 and none without one; fill `origins`."""
    for snapshot in reversed(snapshots(folder)):
        read = snapshot.read()
        if read is not None:
            origins.restore(iter(read[0]))
            return snapshot.sequence, iter(read[1])
    return 0, iter(())
