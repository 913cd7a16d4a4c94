"""SIGKILL at random moments under load, on the command as it is shipped."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

from tests.faults.ledger import Outcome
from tests.faults.lives import COMMAND, Folder, StartError

SIDE_BY_SIDE = 2
"""Processes at a time: a start is one core's work."""


async def killed(trials: int, seed: int, *, numbered: bool = True) -> Outcome:
    """Kill a process so many times."""
    shares = [trials // SIDE_BY_SIDE + (number < trials % SIDE_BY_SIDE) for number in range(SIDE_BY_SIDE)]
    found = await asyncio.gather(
        *(_killed(share, seed + number, numbered) for number, share in enumerate(shares) if share)
    )
    return sum(found, Outcome())


async def _killed(trials: int, seed: int, numbered: bool) -> Outcome:
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name), random.Random(seed), numbered=numbered, command=COMMAND)
        for _ in range(trials):
            try:
                async with folder.life() as life:
                    await folder.settle(life)
                    await folder.load(life, folder.chance.uniform(0.02, 0.4))
            except StartError:
                folder.outcome.manual_steps += 1
                return folder.outcome
            folder.outcome.trials += 1
            folder.outcome.injected += 1
        await folder.recover()
        return folder.outcome
