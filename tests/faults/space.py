"""A disk that is full, by bytes or by inodes, and has room again: nothing lost, and no hand needed."""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.faults.ledger import Outcome
from tests.faults.lives import Folder, Life
from tests.faults.power import mounted

SIZES = ("size=256k", "size=8m,nr_inodes=14")
"""Small by bytes, small by inodes; each has room for a few segments."""
RESUME_SECONDS = 15.0


async def filled(trials: int, seed: int) -> Outcome:
    """Fill a tmpfs beside the journal while it is written to, let go, and look whether it goes on alone."""
    outcome = Outcome()
    for number in range(trials):
        with (
            tempfile.TemporaryDirectory() as name,
            mounted(Path(name) / "disk", "-t", "tmpfs", "-o", SIZES[number % 2], "tmpfs") as disk,
        ):
            outcome += await _filled(disk, random.Random(seed + number))
    return outcome


async def _filled(disk: Path, chance: random.Random) -> Outcome:
    folder = Folder(disk / "journal", chance)
    outcome = folder.outcome
    outcome.trials = 1
    async with folder.life() as life:
        ledger = folder.ledgers[0]

        async def some(count: int) -> None:
            for _ in range(count):
                ledger.sent += 1
                ledger.doubtful.add(ledger.sent)
                await folder.send(life, ledger, ledger.sent)

        await some(5)
        ballast = _fill(disk)
        # A look at the disk is due each second or after some bytes; by then it has to say no.
        for _ in range(200):
            await some(5)
            if ledger.doubtful:
                outcome.injected = 1
                break
        outcome.violations += not await _alive(life)
        for file in ballast:
            file.unlink()
        async with asyncio.timeout(RESUME_SECONDS):
            while ledger.doubtful:
                for sequence in sorted(ledger.doubtful):
                    await folder.send(life, ledger, sequence)
                await asyncio.sleep(0.05)
        await folder.settle(life)
    await folder.recover()
    return outcome


def _fill(disk: Path) -> list[Path]:
    """Take all bytes or all inodes, whichever ends first."""
    made: list[Path] = []
    with suppress(OSError):
        while len(made) < 100:
            made.append(disk / f"ballast-{len(made)}")
            with made[-1].open("wb", buffering=0) as file:
                if len(made) == 1 and disk.stat().st_dev:
                    while file.write(bytes(4096)) == 4096:
                        pass
    return [path for path in made if path.exists()]


async def _alive(life: Life) -> bool:
    await life.totals()
    async with life.session.get(f"{life.url}/-/healthy") as answer:
        return answer.status == 200
