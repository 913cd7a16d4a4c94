"""Power lost at random moments: what no fdatasync has brought to the disk is gone.

The folder lies on a small ext4 in a file, mounted through a loop device. The file is
copied once the process is dead, which is what a disk holds at that moment; the copy is mounted, and must hold
all that was acknowledged. Needs root and loop devices.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.ledger import Outcome
from tests.faults.lives import Folder

IMAGE_BYTES = 16 * 1024 * 1024


async def cut(trials: int, seed: int, *, synced: bool = True) -> Outcome:
    """Cut the power so many times; `synced` False takes the fdatasync away, on purpose."""
    outcome = Outcome()
    for number in range(trials):
        with tempfile.TemporaryDirectory() as name:
            outcome += await _cut(Path(name), random.Random(seed + number), synced)
    return outcome


async def _cut(work: Path, chance: random.Random, synced: bool) -> Outcome:
    disk, copy = work / "disk.img", work / "copy.img"
    with disk.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0", str(disk))
    with mounted(work / "disk", "-o", "loop", str(disk)) as place:
        folder = Folder(place / "journal", chance)
        _run("sync", "-f", str(place))
        async with folder.life(more=[] if synced else ["--without-sync"]) as life:
            # Killed first, for the copy takes a while and has to be of one moment.
            await folder.load(life, chance.uniform(0.2, 1.2))
            await asyncio.to_thread(_run, "cp", str(disk), str(copy))
    with mounted(work / "copy", "-o", "loop", str(copy)) as place:
        folder.path = place / "journal"
        await folder.recover()
    folder.outcome.trials = folder.outcome.injected = 1
    return folder.outcome


@contextmanager
def mounted(place: Path, *words: str) -> Iterator[Path]:
    """Mount, and unmount in the end."""
    place.mkdir()
    _run("mount", *words, str(place))
    try:
        yield place
    finally:
        _run("umount", str(place))


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)
