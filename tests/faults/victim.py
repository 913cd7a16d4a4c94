"""The sidecar with a small journal: `python -m tests.faults.victim FOLDER [--without-sync]`.

Segments of 16 KiB and a snapshot each second bring rotation, snapshots and deletion into every short life.
`--without-sync` leaves fdatasync and fsync out, to show that the power cut would notice.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from airis_mon.journal import Journal, Options
from airis_mon.journal.files import File, PosixFiles
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.service import LIFE, sidecar
from airis_mon.web import Address, configure_logs, serve, stop_on_signals

OPTIONS = Options(segment_bytes=16 * 1024, free_bytes=16 * 1024)
LIMITS = Limits(snapshot_seconds=0.6, chore_seconds=0.2)


class _Unsynced:
    """A file whose bytes are nowhere but in memory until the kernel feels like it."""

    def __init__(self, file: File) -> None:
        self.write, self.truncate, self.close = file.write, file.truncate, file.close

    def sync(self) -> None:
        return


class LyingFiles(PosixFiles):
    """Says that things are on disk when they are not."""

    def create(self, path: Path) -> File:
        return _Unsynced(super().create(path))

    def sync_folder(self, folder: Path) -> None:
        return


async def live(folder: Path, files: PosixFiles) -> int:
    """Run until the end, as the command does."""
    stop = stop_on_signals()
    app = sidecar(registry=CollectorRegistry(), limits=LIMITS, journal=Journal(folder, OPTIONS, files=files))

    async def stop_on_failure() -> None:
        await app[LIFE].failed.wait()
        stop.set()

    watch = asyncio.create_task(stop_on_failure())
    try:
        await serve(app, Address("127.0.0.1", 0), stop=stop, log=configure_logs("victim", "info"))
    finally:
        watch.cancel()
    return 0 if app[LIFE].failure is None else 1


def main() -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.victim")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without-sync", action="store_true")
    arguments = parser.parse_args()
    files = LyingFiles() if arguments.without_sync else PosixFiles()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(live(arguments.folder, files))


if __name__ == "__main__":
    sys.exit(main())
