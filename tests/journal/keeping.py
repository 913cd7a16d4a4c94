"""A journal's life in a few words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from airis_mon.journal import Files, Journal, Options, Record, Recovery

T = TypeVar("T")
SMALL = Options(segment_bytes=4096, commit_bytes=2048, queue_bytes=1 << 20, free_bytes=0)


def opened(folder: Path, files: Files | None = None, options: Options = SMALL) -> tuple[Journal, Recovery]:
    journal = Journal(folder, options, files)
    return journal, journal.recover()


def kept(folder: Path) -> list[Record]:
    """What a restart finds."""

    async def run() -> list[Record]:
        journal, recovery = opened(folder)
        try:
            return list(recovery.records)
        finally:
            await journal.close()

    return asyncio.run(run())


def living(
    folder: Path,
    act: Callable[[Journal], Awaitable[T]],
    files: Files | None = None,
    options: Options = SMALL,
) -> T:
    """Recover, start, act, close."""

    async def run() -> T:
        journal, recovery = opened(folder, files, options)
        for _ in recovery.records:
            pass
        try:
            await journal.start()
            return await act(journal)
        finally:
            await journal.close()

    return asyncio.run(run())
