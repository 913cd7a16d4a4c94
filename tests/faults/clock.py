"""The wall clock stepped an hour back and two forth while a process runs; through libfaketime."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from pathlib import Path

from airis_mon.stack import debian, servers
from tests.faults.ledger import Outcome
from tests.faults.lives import GONE, Folder

PACKAGE = "libfaketime"
LONGEST = 60.0
"""Seconds under load, for both steps."""
STEPS = ("-1h", "+2h", "-9m", "+0")


def library() -> Path:
    """Return Debian's libfaketime, unpacked into the user's cache; debian.UnpackError where that fails."""
    found = debian.folder(PACKAGE, servers.default_cache(os.environ), lambda text: None, (PACKAGE,))
    return next(found.rglob("libfaketime.so.1"))


async def stepped(trials: int, seed: int) -> Outcome:
    """Step the clock of a process under load so many times."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        wall = place / "clock"
        wall.write_text("+0\n")
        environment = {
            **os.environ,
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(wall),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        folder = Folder(place / "journal", random.Random(seed))
        for number in range(trials):
            async with folder.life(environment=environment) as life:
                # It is killed here, and not after so many seconds: a busy machine takes longer for the steps.
                load = asyncio.create_task(folder.load(life, LONGEST))
                for step in (STEPS[number % len(STEPS)], STEPS[(number + 1) % len(STEPS)]):
                    await asyncio.sleep(0.4)
                    wall.write_text(f"{step}\n")
                    try:
                        await life.totals()
                    except GONE:
                        folder.outcome.violations += 1
                await asyncio.sleep(0.4)
                await life.kill()
                await load
            folder.outcome.trials += 1
            folder.outcome.injected += 1
            await folder.recover()
        return folder.outcome
