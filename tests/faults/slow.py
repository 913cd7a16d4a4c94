"""A disk of which every sync takes 300 ms: answers are late, all else is as quick as ever."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

from tests.faults.calls import injection
from tests.faults.ledger import Outcome
from tests.faults.lives import GONE, Folder, Life

DELAY_MICROSECONDS = 300_000
SECONDS = 4.0
QUICK_SECONDS = 1.0
"""In which /metrics and /-/healthy answer; a tenth of it on a machine that does nothing else."""
MOST_BYTES = 300 * 1024 * 1024
"""Of resident memory."""


async def slowed(trials: int, seed: int) -> Outcome:
    """Load a process on a slow disk so many times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name), random.Random(seed))
        for _ in range(trials):
            async with folder.life(injection("fdatasync", f"delay_enter={DELAY_MICROSECONDS}")) as life:
                watch = asyncio.create_task(_watch(life, folder.outcome))
                await folder.load(life, SECONDS)
                await watch
            folder.outcome.trials += 1
            folder.outcome.injected += 1
            await folder.recover()
        return folder.outcome


async def _watch(life: Life, outcome: Outcome) -> None:
    try:
        while True:
            for path in ("/metrics", "/-/healthy"):
                began = time.monotonic()
                async with life.session.get(life.url + path) as answer:
                    await answer.read()
                outcome.violations += answer.status != 200 or time.monotonic() - began > QUICK_SECONDS
            outcome.violations += resident_bytes(life.process.pid) > MOST_BYTES
            await asyncio.sleep(0.1)
    except (*GONE, OSError):
        return


def resident_bytes(pid: int) -> int:
    """Return what a process holds in memory, from /proc."""
    fields = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in fields if line.startswith("VmRSS:")), 0)
