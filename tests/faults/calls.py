"""EIO and SIGKILL at the n-th system call, over start, append, rotation and snapshot; through strace.

The first calls strike during the start, on what the trial before has left: crashes while recovering.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.ledger import Outcome
from tests.faults.lives import Folder, StartError

CALLS = {"fdatasync": 9, "writev": 9, "fsync": 4, "rename": 2, "ftruncate": 1, "truncate": 1, "unlink": 3}
"""What the journal asks of the kernel, and how often in a short life."""
KINDS = ("signal=KILL", "error=EIO")
SECONDS = 0.7


def points(trials: int) -> Iterator[tuple[str, str, int]]:
    """Yield call, fault and n; the nearest first, then further and further off."""
    number, near = 0, 0
    while number < trials:
        near += 1
        for call, often in CALLS.items():
            for kind in KINDS:
                if (near <= often or near > max(CALLS.values())) and number < trials:
                    number += 1
                    yield call, kind, near


def injection(call: str, what: str, trace: Path = Path(os.devnull)) -> list[str]:
    """Return the command around a process, traced to a file; -D leaves the process our own child."""
    quiet = ("-D", "-f", "--seccomp-bpf", "-qq", "-o", str(trace))
    return ["strace", *quiet, f"--trace={call}", "-e", f"inject={call}:{what}"]


async def struck(trials: int, seed: int) -> Outcome:
    """Go through the calls."""
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name) / "journal", random.Random(seed))
        trace = Path(name) / "trace"
        for call, kind, when in points(trials):
            try:
                async with folder.life(injection(call, f"{kind}:when={when}", trace)) as life:
                    ended = await folder.load(life, SECONDS)
            except StartError:
                # It was struck before it was ready, and may be.
                ended = True
            folder.outcome.trials += 1
            folder.outcome.injected += ended or "(INJECTED)" in trace.read_text()
            if not await folder.recover():
                break
        return folder.outcome
